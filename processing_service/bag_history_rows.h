#pragma once

#include <optional>
#include <string>

#include "common/base/uuid.h"
#include "common/db/keys.h"
#include "common/db/table.h"
#include "mtp/processing/v1/bags.pb.h"
#include "processing_service/kinds.h"

// What happened to bags besides being allocated: weighings mended, losses,
// leaving by hand, coming back. All of it is only ever added.
namespace mtp::processing {

// What of a bag's past decisions look at; read under the bag's lock. A bag that
// was received within the batch has none yet.
struct BagHistory {
  using Key = Uuid;

  Uuid barcode;
  int64_t left_grams = 0;        // in shipments that left
  int64_t waiting_grams = 0;     // in shipments that did not leave yet
  int64_t dispatched_grams = 0;  // what remained when it last left by hand
  int64_t last_correction = 0;   // its number

  Key key() const { return barcode; }

  static const db::Statement kLoad;
  static constexpr auto kLoaded = std::tuple(
      &BagHistory::barcode, &BagHistory::left_grams, &BagHistory::waiting_grams,
      &BagHistory::dispatched_grams, &BagHistory::last_correction);
};

// The columns of BagHistory::kLoaded, "SELECT …", and the tables they come from
// besides `bag`, "JOIN …".
extern const std::string_view kBagHistoryColumns;
extern const std::string_view kBagHistoryJoins;

// What of a bag is in a shipment; only read, under the bag's lock.
struct BagInShipment {
  struct Key {
    Uuid barcode;
    int64_t request_code = 0;
    int64_t shipment_code = 0;
    auto Columns() const {
      return std::tuple(barcode, request_code, shipment_code);
    }
    auto operator<=>(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.barcode, k.request_code,
                        k.shipment_code);
    }
  };

  Uuid barcode;
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  int64_t grams = 0;            // allocated to it
  int64_t parcelled_grams = 0;  // of that, given to schedules
  int64_t returned_grams = 0;   // came back so far

  Key key() const { return {barcode, request_code, shipment_code}; }

  static const db::Statement kLoad;
  static constexpr auto kLoaded = std::tuple(
      &BagInShipment::barcode, &BagInShipment::request_code,
      &BagInShipment::shipment_code, &BagInShipment::grams,
      &BagInShipment::parcelled_grams, &BagInShipment::returned_grams);
};

// A wrong weighing, mended.
struct BagCorrection {
  Uuid barcode;
  int64_t correction_id = 0;  // rises with each correction of the bag
  int64_t old_gross_grams = 0;
  int64_t old_tare_grams = 0;
  int64_t old_net_grams = 0;
  int64_t new_gross_grams = 0;
  int64_t new_tare_grams = 0;
  int64_t new_net_grams = 0;
  std::string reason;
  std::optional<Uuid> stocktake_id;
  std::string corrected_by;
  std::string corrected_by_username;
  options::v1::Role corrected_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  v1::BagCorrection Shown() const;

  static const db::Statement kOfBag;  // oldest first
  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &BagCorrection::barcode, &BagCorrection::correction_id,
      &BagCorrection::old_gross_grams, &BagCorrection::old_tare_grams,
      &BagCorrection::old_net_grams, &BagCorrection::new_gross_grams,
      &BagCorrection::new_tare_grams, &BagCorrection::new_net_grams,
      &BagCorrection::reason, &BagCorrection::stocktake_id,
      &BagCorrection::corrected_by, &BagCorrection::corrected_by_username,
      &BagCorrection::corrected_by_role, &BagCorrection::occurred_at,
      &BagCorrection::recorded_at, &BagCorrection::correlation_id);
  static constexpr auto kLoaded = kInserted;
};

// A loss.
struct WriteOff {
  Uuid barcode;
  Uuid write_off_id;
  int64_t grams = 0;
  v1::WriteOffReason reason = v1::WRITE_OFF_REASON_UNSPECIFIED;
  std::string remarks;
  std::optional<Uuid> stocktake_id;
  std::string written_off_by;
  std::string written_off_by_username;
  options::v1::Role written_off_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  v1::WriteOff Shown() const;

  static const db::Statement kOfBag;  // oldest first
  static const db::Statement kInsert;
  static constexpr auto kInserted =
      std::tuple(&WriteOff::barcode, &WriteOff::write_off_id, &WriteOff::grams,
                 &WriteOff::reason, &WriteOff::remarks, &WriteOff::stocktake_id,
                 &WriteOff::written_off_by, &WriteOff::written_off_by_username,
                 &WriteOff::written_off_by_role, &WriteOff::occurred_at,
                 &WriteOff::recorded_at, &WriteOff::correlation_id);
  static constexpr auto kLoaded = kInserted;
};

// A bag that was marked as gone, with what remained in it.
struct BagDispatch {
  Uuid barcode;
  int64_t remaining_grams = 0;
  std::string reason;
  std::string vehicle;
  std::string dispatched_by;
  std::string dispatched_by_username;
  options::v1::Role dispatched_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &BagDispatch::barcode, &BagDispatch::remaining_grams,
      &BagDispatch::reason, &BagDispatch::vehicle, &BagDispatch::dispatched_by,
      &BagDispatch::dispatched_by_username, &BagDispatch::dispatched_by_role,
      &BagDispatch::occurred_at, &BagDispatch::recorded_at,
      &BagDispatch::correlation_id);
};

// What came back of a bag.
struct BagReturn {
  Uuid barcode;
  Uuid return_id;
  std::optional<int64_t> request_code;  // none: it had left by hand
  std::optional<int64_t> shipment_code;
  int64_t net_grams = 0;
  Uuid location_id;
  std::string remarks;
  std::string received_by;
  std::string received_by_username;
  options::v1::Role received_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  v1::BagReturn Shown() const;

  static const db::Statement kOfBag;  // oldest first
  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &BagReturn::barcode, &BagReturn::return_id, &BagReturn::request_code,
      &BagReturn::shipment_code, &BagReturn::net_grams, &BagReturn::location_id,
      &BagReturn::remarks, &BagReturn::received_by,
      &BagReturn::received_by_username, &BagReturn::received_by_role,
      &BagReturn::occurred_at, &BagReturn::recorded_at,
      &BagReturn::correlation_id);
  static constexpr auto kLoaded = kInserted;
};

}  // namespace mtp::processing
