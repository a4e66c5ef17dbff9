#pragma once

#include <optional>
#include <string>

#include "common/base/uuid.h"
#include "common/db/keys.h"
#include "common/db/table.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "processing_service/kinds.h"

namespace mtp::processing {

// Where a part of a bag may go, as tables name it.
inline constexpr std::string_view kToBlendsheet = "blendsheet";
inline constexpr std::string_view kToFlavorsheet = "flavorsheet";
inline constexpr std::string_view kToShipment = "shipment";
// The same for the contract's value; nothing for the unspecified one.
std::optional<std::string_view> TextOf(v1::AllocationTargetKind kind);

// One cell of the matrix.
struct AllocationRule {
  struct Key {
    std::string source_kind;
    std::string target_kind;
    auto Columns() const { return std::tuple(source_kind, target_kind); }
    auto operator<=>(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.source_kind, k.target_kind);
    }
  };
  std::string source_kind;
  std::string target_kind;
  bool allowed = false;
  int64_t version = 1;
  std::optional<absl::Time> changed_at;  // none: as the platform came
  std::string changed_by;
  std::string changed_by_username;
  options::v1::Role changed_by_role = options::v1::ROLE_UNSPECIFIED;

  Key key() const { return {source_kind, target_kind}; }
  std::string Etag() const { return std::to_string(version); }
  v1::AllocationRule Shown() const;

  // Not locked: all allocations read the same few cells, and the table's
  // trigger sees one that was closed meanwhile.
  static const db::Statement kLoad;
  static const db::Statement kLoadToChange;  // FOR NO KEY UPDATE
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &AllocationRule::source_kind, &AllocationRule::target_kind,
      &AllocationRule::allowed, &AllocationRule::version,
      &AllocationRule::changed_at, &AllocationRule::changed_by,
      &AllocationRule::changed_by_username, &AllocationRule::changed_by_role);
  static constexpr auto kUpdated = kLoaded;
};

// A part of a bag given to a batch or a shipment; active until all of it was
// given back.
struct Allocation {
  using Key = Uuid;

  Uuid allocation_id;
  Uuid barcode;
  MaterialKind source_kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::string target_kind;
  std::optional<Uuid> batch_id;
  std::optional<int64_t> request_code;
  std::optional<int64_t> shipment_code;
  int64_t grams = 0;  // now
  int64_t released_grams = 0;
  int64_t parcelled_grams = 0;
  std::string allocated_by;
  std::string allocated_by_username;
  options::v1::Role allocated_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time allocated_at;
  absl::Time occurred_at;
  std::optional<absl::Time> released_at;

  Key key() const { return allocation_id; }
  bool active() const { return !released_at.has_value(); }
  std::optional<db::ShipmentKey> shipment() const;
  // Gives back a part of what it has, or all of it.
  void Release(int64_t released, absl::Time now);
  v1::Allocation Shown(std::string_view source_name,
                       std::string_view target_name) const;

  static const db::Statement kLoad;            // by allocation_id, FOR UPDATE
  static const db::Statement kLoadOfShipment;  // active ones, by shipment key
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Allocation::allocation_id, &Allocation::barcode,
      &Allocation::source_kind, &Allocation::target_kind, &Allocation::batch_id,
      &Allocation::request_code, &Allocation::shipment_code, &Allocation::grams,
      &Allocation::released_grams, &Allocation::parcelled_grams,
      &Allocation::allocated_by, &Allocation::allocated_by_username,
      &Allocation::allocated_by_role, &Allocation::allocated_at,
      &Allocation::occurred_at, &Allocation::released_at);
  static constexpr auto kInserted = std::tuple(
      &Allocation::allocation_id, &Allocation::barcode,
      &Allocation::source_kind, &Allocation::target_kind, &Allocation::batch_id,
      &Allocation::request_code, &Allocation::shipment_code, &Allocation::grams,
      &Allocation::allocated_by, &Allocation::allocated_by_username,
      &Allocation::allocated_by_role, &Allocation::allocated_at,
      &Allocation::occurred_at);
  static constexpr auto kUpdated =
      std::tuple(&Allocation::allocation_id, &Allocation::grams,
                 &Allocation::released_grams, &Allocation::parcelled_grams,
                 &Allocation::released_at);
};

// For statements that read from `allocation`: "SELECT …" with the columns of
// Allocation::kLoaded; "LEFT JOIN …" with the tables of its target, and over
// them what people call the target and whether it left the site.
extern const std::string_view kAllocationColumns;
extern const std::string_view kTargetJoins;
extern const std::string_view kTargetName;
extern const std::string_view kTargetLeft;

// The batches that the bags of allocations came from, by allocation_id; locked
// as Batch::kLockSources does.
extern const db::Statement kLockSourcesAllocated;
extern const db::Statement kLoadSourcesAllocated;

// Why something of an allocation went back to its bag.
inline constexpr std::string_view kReleased = "RELEASED";
inline constexpr std::string_view kMoved = "MOVED";
inline constexpr std::string_view kGivenBack = "GIVEN_BACK";

// Each time an allocation, or a part of it, went back to its bag.
struct AllocationRelease {
  Uuid allocation_id;
  int64_t grams = 0;
  std::string reason;
  std::string remarks;
  std::optional<Uuid> moved_to;
  std::string released_by;
  std::string released_by_username;
  options::v1::Role released_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &AllocationRelease::allocation_id, &AllocationRelease::grams,
      &AllocationRelease::reason, &AllocationRelease::remarks,
      &AllocationRelease::moved_to, &AllocationRelease::released_by,
      &AllocationRelease::released_by_username,
      &AllocationRelease::released_by_role, &AllocationRelease::occurred_at,
      &AllocationRelease::recorded_at, &AllocationRelease::correlation_id);
};

}  // namespace mtp::processing
