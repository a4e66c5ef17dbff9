#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/db/keys.h"
#include "common/db/table.h"
#include "common/handlers/actor.h"
#include "mtp/processing/v1/kinds.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::processing {

// A shipment as Seeduwa has it: Grandpass's word as copied, as far as decisions
// need it (the rest is ShipmentWord), and our own on readiness, what is
// allocated and the dispatch, which has one version.
struct Shipment {
  using Key = db::ShipmentKey;

  int64_t request_code = 0;
  int64_t shipment_code = 0;
  // Grandpass's word.
  std::string order_code;
  std::string product_name;
  std::string item_code;
  int64_t quantity_grams = 0;
  bool special = false;
  bool approved = true;
  bool cancelled = false;
  bool accepted = false;
  std::optional<absl::Time> accepted_at;
  std::optional<absl::Time> created_at;
  int64_t order_epoch = 0;
  int64_t order_version = 0;
  std::optional<absl::Time> order_changed_at;
  absl::Time heard_at;
  // Our word.
  common::v1::ShipmentStatus status =
      common::v1::SHIPMENT_STATUS_ORDER_REQUESTED;
  common::v1::Readiness readiness = common::v1::READINESS_UNSPECIFIED;
  std::string readiness_remarks;
  std::string readiness_by;
  std::string readiness_by_username;
  options::v1::Role readiness_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> readiness_at;
  int64_t allocated_grams = 0;
  // Of what is allocated: taken back from the peer after a restore, with the
  // bags unknown.
  int64_t recovered_grams = 0;
  bool dispatched = false;
  std::optional<Uuid> dispatch_id;  // the same for all that left together
  std::string vehicle;
  std::optional<absl::Time> dispatched_at;         // as told
  std::optional<absl::Time> dispatch_recorded_at;  // as recorded
  std::string dispatched_by;
  std::string dispatched_by_username;
  options::v1::Role dispatched_by_role = options::v1::ROLE_UNSPECIFIED;
  int64_t dispatched_grams = 0;
  int64_t dispatched_bags = 0;
  std::optional<db::Bytes> manifest_digest;
  // Of the dispatch's last correction.
  std::string correction_reason;
  std::string corrected_by;
  std::string corrected_by_username;
  options::v1::Role corrected_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> corrected_at;
  int64_t version = 0;
  absl::Time changed_at;
  // When the peer was last heard at all; only read.
  std::optional<absl::Time> peer_heard_at;

  Key key() const { return {request_code, shipment_code}; }

  // Allocation is allowed while the shipment waits for goods or for a truck.
  bool OpenForAllocation() const;
  // The most it may have allocated while it has not left.
  int64_t WantedGrams() const;
  // What it still needs as far as is known here.
  int64_t MissingGrams() const;
  // The status that follows from the facts of both sides.
  common::v1::ShipmentStatus StatusFromFacts() const;
  // Every change of ours goes through here: Grandpass must learn it.
  void Changed(absl::Time now) {
    status = StatusFromFacts();
    ++version;
    changed_at = ChangeAfter(changed_at, now);
  }
  v1::ShipmentAmounts Amounts() const;
  // `bag_count`: bags with an active allocation to it.
  v1::OpenShipment Shown(int64_t bag_count) const;
  v1::ShipmentDispatch DispatchShown() const;
  void FreshnessTo(common::v1::Freshness* proto) const;
  // Our word on it, as Grandpass is told.
  sync::v1::ShipmentProgressState Progress() const;

  static const db::Statement kLoad;  // FOR UPDATE
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kInserted = std::tuple(
      &Shipment::request_code, &Shipment::shipment_code, &Shipment::order_code,
      &Shipment::product_name, &Shipment::item_code, &Shipment::quantity_grams,
      &Shipment::special, &Shipment::approved, &Shipment::cancelled,
      &Shipment::accepted, &Shipment::accepted_at, &Shipment::created_at,
      &Shipment::order_epoch, &Shipment::order_version,
      &Shipment::order_changed_at, &Shipment::heard_at, &Shipment::status,
      &Shipment::readiness, &Shipment::readiness_remarks,
      &Shipment::readiness_by, &Shipment::readiness_by_username,
      &Shipment::readiness_by_role, &Shipment::readiness_at,
      &Shipment::allocated_grams, &Shipment::recovered_grams,
      &Shipment::dispatched, &Shipment::dispatch_id, &Shipment::vehicle,
      &Shipment::dispatched_at, &Shipment::dispatch_recorded_at,
      &Shipment::dispatched_by, &Shipment::dispatched_by_username,
      &Shipment::dispatched_by_role, &Shipment::dispatched_grams,
      &Shipment::dispatched_bags, &Shipment::manifest_digest,
      &Shipment::correction_reason, &Shipment::corrected_by,
      &Shipment::corrected_by_username, &Shipment::corrected_by_role,
      &Shipment::corrected_at, &Shipment::version, &Shipment::changed_at);
  static constexpr auto kUpdated = kInserted;
  static constexpr auto kLoaded =
      std::tuple_cat(kInserted, std::tuple(&Shipment::peer_heard_at));
};

// What else Grandpass says of a shipment: kept for people and for comparing,
// read by no decision. Written behind the shipment's own row, wholly each time.
struct ShipmentWord {
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  int64_t split_from_shipment_code = 0;
  bool closed_short = false;
  std::string cancel_remarks;
  std::string cancelled_by;
  std::string cancelled_by_username;
  options::v1::Role cancelled_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> cancelled_at;
  std::string accept_remarks;
  std::string accepted_by;
  std::string accepted_by_username;
  options::v1::Role accepted_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<int64_t> received_grams;
  // Barcodes, joined by commas.
  std::string missing;
  std::string damaged;
  std::string sent_back;

  static const db::Statement kInsert;  // an UPDATE of the shipment
  static constexpr auto kInserted = std::tuple(
      &ShipmentWord::request_code, &ShipmentWord::shipment_code,
      &ShipmentWord::split_from_shipment_code, &ShipmentWord::closed_short,
      &ShipmentWord::cancel_remarks, &ShipmentWord::cancelled_by,
      &ShipmentWord::cancelled_by_username, &ShipmentWord::cancelled_by_role,
      &ShipmentWord::cancelled_at, &ShipmentWord::accept_remarks,
      &ShipmentWord::accepted_by, &ShipmentWord::accepted_by_username,
      &ShipmentWord::accepted_by_role, &ShipmentWord::received_grams,
      &ShipmentWord::missing, &ShipmentWord::damaged, &ShipmentWord::sent_back);
};

// A wrong vehicle, or a dispatch that was none, put right.
struct DispatchCorrection {
  Uuid correction_id;
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  std::string kind;  // 'VEHICLE' or 'TAKEN_BACK'
  std::string old_vehicle;
  std::string new_vehicle;
  std::string reason;
  std::string corrected_by;
  std::string corrected_by_username;
  options::v1::Role corrected_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &DispatchCorrection::correction_id, &DispatchCorrection::request_code,
      &DispatchCorrection::shipment_code, &DispatchCorrection::kind,
      &DispatchCorrection::old_vehicle, &DispatchCorrection::new_vehicle,
      &DispatchCorrection::reason, &DispatchCorrection::corrected_by,
      &DispatchCorrection::corrected_by_username,
      &DispatchCorrection::corrected_by_role, &DispatchCorrection::occurred_at,
      &DispatchCorrection::recorded_at, &DispatchCorrection::correlation_id);
};

// The columns of Shipment::kInserted, from the table `shipment`.
extern const std::string_view kShipmentColumns;

}  // namespace mtp::processing
