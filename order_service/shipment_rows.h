#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/db/keys.h"
#include "common/db/result.h"
#include "common/db/table.h"
#include "common/handlers/actor.h"
#include "common/handlers/context.h"
#include "mtp/order/v1/shipments.pb.h"

namespace mtp::order {

struct Rows;

using common::v1::ShipmentStatus;

// What a supervisor said of a special request; of an ordinary one nobody asks.
enum class ApprovalState { kNone, kRequested, kAllowed, kDenied };

}  // namespace mtp::order

namespace mtp::db {

template <>
struct Codec<order::ApprovalState> {
  static constexpr uint32_t kOid = kTextOid;
  static void Encode(std::string& out, order::ApprovalState v);
  static order::ApprovalState Decode(std::string_view in);
};

}  // namespace mtp::db

namespace mtp::order {

// A shipment: Grandpass's own facts, which have one version, and Seeduwa's word
// as it was heard last.
struct Shipment {
  using Key = db::ShipmentKey;

  int64_t request_code = 0;
  int64_t shipment_code = 0;
  // Our word.
  std::string order_code;
  std::string product_name;
  std::string item_code;
  int64_t quantity_grams = 0;
  int64_t split_from_shipment_code = 0;
  ShipmentStatus status = common::v1::SHIPMENT_STATUS_ORDER_REQUESTED;
  bool special = false;
  ApprovalState approval = ApprovalState::kNone;
  std::string approval_remarks;
  std::string approval_by;
  std::string approval_by_username;
  options::v1::Role approval_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> approval_at;
  bool cancelled = false;
  std::string cancel_remarks;
  std::string cancelled_by;
  std::string cancelled_by_username;
  options::v1::Role cancelled_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> cancelled_at;
  bool accepted = false;
  std::string accept_remarks;
  std::string accepted_by;
  std::string accepted_by_username;
  options::v1::Role accepted_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> accepted_at;         // at the gate
  std::optional<absl::Time> accept_recorded_at;  // when that was told
  std::optional<int64_t> received_grams;         // none: as dispatched
  bool closed_short = false;
  bool recovered = false;
  int64_t version = 1;
  absl::Time changed_at;
  absl::Time created_at;
  absl::Time updated_at;
  // Seeduwa's word.
  int64_t progress_epoch = 0;
  int64_t progress_version = 0;
  std::optional<absl::Time> progress_changed_at;
  std::optional<absl::Time> progress_heard_at;
  common::v1::Readiness readiness = common::v1::READINESS_UNSPECIFIED;
  std::string readiness_remarks;
  std::string readiness_by;
  std::string readiness_by_username;
  options::v1::Role readiness_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> readiness_at;
  int64_t allocated_grams = 0;
  bool dispatched = false;
  std::string dispatch_vehicle;
  std::optional<absl::Time> dispatched_at;
  std::string dispatched_by;
  std::string dispatched_by_username;
  options::v1::Role dispatched_by_role = options::v1::ROLE_UNSPECIFIED;
  int64_t dispatched_grams = 0;
  int64_t dispatched_bags = 0;
  std::optional<db::Bytes> manifest_digest;
  std::string correction_reason;
  std::string corrected_by;
  std::string corrected_by_username;
  options::v1::Role corrected_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> corrected_at;
  // When the peer was heard at all; only read.
  std::optional<absl::Time> peer_heard_at;

  Key key() const { return {request_code, shipment_code}; }
  std::string etag() const { return std::to_string(version); }

  // The status that follows from the facts of both sides.
  ShipmentStatus StatusFromFacts() const;
  // Whether its quantity can still be lowered and it can still be cancelled.
  bool Open() const;
  // Whether Seeduwa knows of it, or is to: from ORDER_REQUESTED on.
  bool Told() const {
    return approval == ApprovalState::kNone ||
           approval == ApprovalState::kAllowed;
  }
  // Every change of our facts goes through here: Seeduwa must learn it.
  void Changed(absl::Time now) {
    status = StatusFromFacts();
    ++version;
    changed_at = ChangeAfter(changed_at, now);
    updated_at = now;
  }
  // The same for Seeduwa's facts, which have a version of their own.
  void Heard(absl::Time now) {
    status = StatusFromFacts();
    progress_heard_at = now;
    updated_at = now;
  }

  // All but the bags of its differences and its open exceptions.
  v1::Shipment Shown() const;
  v1::ShipmentProgress ShownProgress() const;

  static const db::Statement kLoad;  // FOR UPDATE, by key
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Shipment::request_code, &Shipment::shipment_code, &Shipment::order_code,
      &Shipment::product_name, &Shipment::item_code, &Shipment::quantity_grams,
      &Shipment::split_from_shipment_code, &Shipment::status,
      &Shipment::special, &Shipment::approval, &Shipment::approval_remarks,
      &Shipment::approval_by, &Shipment::approval_by_username,
      &Shipment::approval_by_role, &Shipment::approval_at, &Shipment::cancelled,
      &Shipment::cancel_remarks, &Shipment::cancelled_by,
      &Shipment::cancelled_by_username, &Shipment::cancelled_by_role,
      &Shipment::cancelled_at, &Shipment::accepted, &Shipment::accept_remarks,
      &Shipment::accepted_by, &Shipment::accepted_by_username,
      &Shipment::accepted_by_role, &Shipment::accepted_at,
      &Shipment::accept_recorded_at, &Shipment::received_grams,
      &Shipment::closed_short, &Shipment::recovered, &Shipment::version,
      &Shipment::changed_at, &Shipment::created_at, &Shipment::updated_at,
      &Shipment::progress_epoch, &Shipment::progress_version,
      &Shipment::progress_changed_at, &Shipment::progress_heard_at,
      &Shipment::readiness, &Shipment::readiness_remarks,
      &Shipment::readiness_by, &Shipment::readiness_by_username,
      &Shipment::readiness_by_role, &Shipment::readiness_at,
      &Shipment::allocated_grams, &Shipment::dispatched,
      &Shipment::dispatch_vehicle, &Shipment::dispatched_at,
      &Shipment::dispatched_by, &Shipment::dispatched_by_username,
      &Shipment::dispatched_by_role, &Shipment::dispatched_grams,
      &Shipment::dispatched_bags, &Shipment::manifest_digest,
      &Shipment::correction_reason, &Shipment::corrected_by,
      &Shipment::corrected_by_username, &Shipment::corrected_by_role,
      &Shipment::corrected_at, &Shipment::peer_heard_at);
  static constexpr auto kInserted = std::tuple(
      &Shipment::request_code, &Shipment::shipment_code, &Shipment::order_code,
      &Shipment::product_name, &Shipment::item_code, &Shipment::quantity_grams,
      &Shipment::split_from_shipment_code, &Shipment::status,
      &Shipment::special, &Shipment::approval, &Shipment::approval_remarks,
      &Shipment::approval_by, &Shipment::approval_by_username,
      &Shipment::approval_by_role, &Shipment::approval_at, &Shipment::cancelled,
      &Shipment::cancel_remarks, &Shipment::cancelled_by,
      &Shipment::cancelled_by_username, &Shipment::cancelled_by_role,
      &Shipment::cancelled_at, &Shipment::accepted, &Shipment::accept_remarks,
      &Shipment::accepted_by, &Shipment::accepted_by_username,
      &Shipment::accepted_by_role, &Shipment::accepted_at,
      &Shipment::accept_recorded_at, &Shipment::received_grams,
      &Shipment::closed_short, &Shipment::recovered, &Shipment::version,
      &Shipment::changed_at, &Shipment::created_at, &Shipment::updated_at,
      &Shipment::progress_epoch, &Shipment::progress_version,
      &Shipment::progress_changed_at, &Shipment::progress_heard_at,
      &Shipment::readiness, &Shipment::readiness_remarks,
      &Shipment::readiness_by, &Shipment::readiness_by_username,
      &Shipment::readiness_by_role, &Shipment::readiness_at,
      &Shipment::allocated_grams, &Shipment::dispatched,
      &Shipment::dispatch_vehicle, &Shipment::dispatched_at,
      &Shipment::dispatched_by, &Shipment::dispatched_by_username,
      &Shipment::dispatched_by_role, &Shipment::dispatched_grams,
      &Shipment::dispatched_bags, &Shipment::manifest_digest,
      &Shipment::correction_reason, &Shipment::corrected_by,
      &Shipment::corrected_by_username, &Shipment::corrected_by_role,
      &Shipment::corrected_at);
  static constexpr auto kUpdated = kInserted;
};

// One step in the life of a shipment.
struct ShipmentEvent {
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  Uuid event_id;
  v1::ShipmentEventCause cause = v1::SHIPMENT_EVENT_CAUSE_UNSPECIFIED;
  std::optional<ShipmentStatus> from_status;  // none: the shipment was made
  ShipmentStatus to_status = common::v1::SHIPMENT_STATUS_UNSPECIFIED;
  int64_t quantity_grams = 0;
  std::string remarks;
  std::string vehicle;
  std::string said_by;
  std::string said_by_username;
  options::v1::Role said_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  bool recovered = false;
  std::string correlation_id;

  v1::ShipmentEvent Shown() const;

  static const db::Statement kInsert;
  static constexpr auto kInserted =
      std::tuple(&ShipmentEvent::request_code, &ShipmentEvent::shipment_code,
                 &ShipmentEvent::event_id, &ShipmentEvent::cause,
                 &ShipmentEvent::from_status, &ShipmentEvent::to_status,
                 &ShipmentEvent::quantity_grams, &ShipmentEvent::remarks,
                 &ShipmentEvent::vehicle, &ShipmentEvent::said_by,
                 &ShipmentEvent::said_by_username, &ShipmentEvent::said_by_role,
                 &ShipmentEvent::occurred_at, &ShipmentEvent::recorded_at,
                 &ShipmentEvent::recovered, &ShipmentEvent::correlation_id);
};

// A bag that did not arrive as it left.
struct ShipmentDifference {
  int64_t request_code = 0;
  int64_t shipment_code = 0;
  Uuid barcode;
  std::string kind;  // 'MISSING', 'DAMAGED', 'SENT_BACK'
  absl::Time recorded_at;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &ShipmentDifference::request_code, &ShipmentDifference::shipment_code,
      &ShipmentDifference::barcode, &ShipmentDifference::kind,
      &ShipmentDifference::recorded_at);
};

// How many bags of a shipment did not arrive as they left; read after a
// restore.
struct DifferencesKept {
  using Key = db::ShipmentKey;

  int64_t request_code = 0;
  int64_t shipment_code = 0;
  int64_t missing = 0;
  int64_t damaged = 0;
  int64_t sent_back = 0;

  Key key() const { return {request_code, shipment_code}; }

  static const db::Statement kLoad;
  static constexpr auto kLoaded =
      std::tuple(&DifferencesKept::request_code,
                 &DifferencesKept::shipment_code, &DifferencesKept::missing,
                 &DifferencesKept::damaged, &DifferencesKept::sent_back);
};

// Who said a step, when, and what else goes with it.
struct Said {
  handlers::Actor actor;
  absl::Time occurred_at;
  std::string remarks;
  std::string vehicle;
  std::string correlation_id;  // empty: of the call at hand
  bool recovered = false;      // taken back from Seeduwa after a restore
};

// Keeps a step that leads from `from` to `to`, with the shipment's present
// quantity.
v1::ShipmentEvent Record(const Shipment& shipment, v1::ShipmentEventCause cause,
                         std::optional<ShipmentStatus> from, ShipmentStatus to,
                         const Said& said, handlers::Context& context,
                         Rows& rows);
// The same up to the status that the shipment has now.
v1::ShipmentEvent Record(const Shipment& shipment, v1::ShipmentEventCause cause,
                         std::optional<ShipmentStatus> from, const Said& said,
                         handlers::Context& context, Rows& rows);

// Marks the shipment for Seeduwa and returns the token to wait for that; empty
// when Seeduwa is not to know of it yet.
std::string Tell(const Shipment& shipment, handlers::Context& context);

// A shipment that a request makes.
struct NewShipment {
  db::ShipmentKey key;
  std::string order_code;
  std::string product_name;
  std::string item_code;
  int64_t quantity_grams = 0;
  bool special = false;
  // Of a special one: requested, or allowed when it is taken over as approved.
  ApprovalState approval = ApprovalState::kNone;
  v1::ShipmentEventCause cause = v1::SHIPMENT_EVENT_CAUSE_REQUESTED;
  Said said;
};
struct MadeShipment {
  const Shipment* shipment = nullptr;
  v1::ShipmentEvent event;
  std::string sync_token;  // empty while approval is awaited
};
// Inserts the shipment with its first event, audits it and marks it for
// Seeduwa. The request it is of must be inserted or locked.
MadeShipment MakeShipment(const NewShipment& asked, handlers::Context& context,
                          Rows& rows);

// Lowers the quantity of a locked shipment to `quantity_grams`, above zero and
// below the present one, and makes the rest the next shipment of its request,
// which must be locked too. Keeps events of both, audits, and marks both for
// Seeduwa.
struct SplitOff {
  const Shipment* rest = nullptr;
  std::string sync_token;
};
SplitOff Split(Shipment& shipment, int64_t quantity_grams, const Said& said,
               handlers::Context& context, Rows& rows);

// A query for whole shipments as ReadShipment reads them. `from` is what stands
// behind the columns: "FROM shipment WHERE … ORDER BY …"; the table has no
// alias. For constants.
db::Statement SelectShipments(std::initializer_list<std::string_view> from);
v1::Shipment ReadShipment(const db::Row& row);

// The same for events, of the table shipment_event. Their numbers are the order
// in which they were recorded.
db::Statement SelectShipmentEvents(
    std::initializer_list<std::string_view> from);
v1::ShipmentEvent ReadShipmentEvent(const db::Row& row,
                                    int64_t* event_number = nullptr);

}  // namespace mtp::order
