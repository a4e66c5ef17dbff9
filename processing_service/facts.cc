#include "processing_service/facts.h"

#include <string>
#include <string_view>

#include "common/base/protos.h"
#include "common/sync/link_state.h"
#include "common/sync/outbox.h"

namespace mtp::processing {
namespace {

using handlers::Actor;
using sync::v1::EntityKind;

// --- our own

constexpr std::string_view kShipmentProgress = R"(
  0::bigint AS epoch, shipment.request_code, shipment.shipment_code,
    replace(readiness, 'NONE', ''), readiness_remarks, readiness_by,
    readiness_by_username, readiness_by_role, readiness_at, allocated_grams,
    dispatched, vehicle, dispatched_at, dispatched_by, dispatched_by_username,
    dispatched_by_role, dispatched_grams, dispatched_bags, manifest_digest,
    correction_reason, corrected_by, corrected_by_username, corrected_by_role,
    corrected_at, version, changed_at
)";
const db::Statement kFetchShipmentProgress =
    db::Compose({"SELECT wanted.key, ", kShipmentProgress, R"(
  FROM unnest($1::text[]) AS wanted (key)
  JOIN shipment ON shipment.request_code = split_part(wanted.key, '/', 1)::bigint
               AND shipment.shipment_code = split_part(wanted.key, '/', 2)::bigint
  WHERE version > 0)",
                 reconciliation::kInOrderOfKeys});
const db::Statement kPageOfShipmentProgress = reconciliation::SelectPage(
    db::Compose({"SELECT request_code || '/' || shipment_code AS key, ",
                 kShipmentProgress, " FROM shipment WHERE version > 0"})
        .sql);

sync::v1::ShipmentProgressState ReadShipmentProgress(const db::Row& row) {
  std::string key;
  int64_t epoch = 0;
  Shipment shipment;
  row.Into(key, epoch, shipment.request_code, shipment.shipment_code,
           shipment.readiness, shipment.readiness_remarks,
           shipment.readiness_by, shipment.readiness_by_username,
           shipment.readiness_by_role, shipment.readiness_at,
           shipment.allocated_grams, shipment.dispatched, shipment.vehicle,
           shipment.dispatched_at, shipment.dispatched_by,
           shipment.dispatched_by_username, shipment.dispatched_by_role,
           shipment.dispatched_grams, shipment.dispatched_bags,
           shipment.manifest_digest, shipment.correction_reason,
           shipment.corrected_by, shipment.corrected_by_username,
           shipment.corrected_by_role, shipment.corrected_at, shipment.version,
           shipment.changed_at);
  return shipment.Progress();
}

constexpr std::string_view kScheduleProgress =
    "0::bigint AS epoch, schedule_code, parcel_count, parcel_grams, version, "
    "changed_at";
const db::Statement kFetchScheduleProgress =
    db::Compose({"SELECT wanted.key, ", kScheduleProgress, R"(
  FROM unnest($1::text[]) AS wanted (key)
  JOIN schedule ON schedule.schedule_code = wanted.key::bigint
  WHERE version > 0)",
                 reconciliation::kInOrderOfKeys});
const db::Statement kPageOfScheduleProgress = reconciliation::SelectPage(
    db::Compose({"SELECT schedule_code::text AS key, ", kScheduleProgress,
                 " FROM schedule WHERE version > 0"})
        .sql);

sync::v1::ScheduleProgressState ReadScheduleProgress(const db::Row& row) {
  std::string key;
  int64_t epoch = 0;
  Schedule schedule;
  row.Into(key, epoch, schedule.schedule_code, schedule.parcel_count,
           schedule.parcel_grams, schedule.version, schedule.changed_at);
  sync::v1::ScheduleProgressState state;
  state.mutable_stamp()->set_version(schedule.version);
  *state.mutable_stamp()->mutable_changed_at() = ToProto(schedule.changed_at);
  state.set_schedule_code(schedule.schedule_code);
  state.set_parcel_count(schedule.parcel_count);
  state.set_parcel_grams(schedule.parcel_grams);
  return state;
}

constexpr db::Statement kGreatestShipmentProgress{
    "SELECT coalesce(max(version), 0), 0::bigint FROM shipment"};
constexpr db::Statement kGreatestScheduleProgress{
    "SELECT coalesce(max(version), 0), 0::bigint FROM schedule"};

const db::Statement kRaiseShipmentProgress =
    reconciliation::Raise("shipment",
                          "request_code = split_part(key, '/', 1)::bigint AND "
                          "shipment_code = split_part(key, '/', 2)::bigint");
const db::Statement kRaiseScheduleProgress =
    reconciliation::Raise("schedule", "schedule_code = key::bigint");

// --- our copies of Grandpass's

constexpr std::string_view kShipment = R"(
  SELECT request_code || '/' || shipment_code AS key, order_epoch AS epoch,
    request_code, shipment_code, order_version, order_changed_at, order_code,
    product_name, item_code, quantity_grams, special, approved, closed_short, cancelled,
    cancel_remarks, cancelled_by, cancelled_by_username, cancelled_by_role, cancelled_at,
    accepted, accept_remarks, accepted_by, accepted_by_username, accepted_by_role,
    accepted_at, received_grams, missing_barcodes::text[], damaged_barcodes::text[],
    sent_back_barcodes::text[], created_at, split_from_shipment_code
  FROM shipment WHERE order_version > 0
)";

void AddAll(const std::vector<std::string>& barcodes,
            google::protobuf::RepeatedPtrField<std::string>* proto) {
  proto->Add(barcodes.begin(), barcodes.end());
}

sync::v1::ShipmentState ReadShipment(const db::Row& row) {
  std::string key;
  Shipment shipment;
  ShipmentWord word;
  std::vector<std::string> missing, damaged, sent_back;
  row.Into(key, shipment.order_epoch, shipment.request_code,
           shipment.shipment_code, shipment.order_version,
           shipment.order_changed_at, shipment.order_code,
           shipment.product_name, shipment.item_code, shipment.quantity_grams,
           shipment.special, shipment.approved, word.closed_short,
           shipment.cancelled, word.cancel_remarks, word.cancelled_by,
           word.cancelled_by_username, word.cancelled_by_role,
           word.cancelled_at, shipment.accepted, word.accept_remarks,
           word.accepted_by, word.accepted_by_username, word.accepted_by_role,
           shipment.accepted_at, word.received_grams, missing, damaged,
           sent_back, shipment.created_at, word.split_from_shipment_code);
  sync::v1::ShipmentState state;
  sync::KeptStamp{shipment.order_epoch, shipment.order_version,
                  shipment.order_changed_at}
      .To(state.mutable_stamp());
  shipment.key().To(state.mutable_key());
  state.set_order_code(shipment.order_code);
  state.set_product_name(shipment.product_name);
  state.set_item_code(shipment.item_code);
  state.set_quantity_grams(shipment.quantity_grams);
  state.set_special(shipment.special);
  state.set_approved(shipment.approved);
  state.set_closed_short(word.closed_short);
  if (shipment.created_at.has_value())
    *state.mutable_created_at() = ToProto(*shipment.created_at);
  state.set_split_from_shipment_code(
      static_cast<int32_t>(word.split_from_shipment_code));
  if (shipment.cancelled) {
    auto& cancelled = *state.mutable_cancelled();
    cancelled.set_order_remarks(word.cancel_remarks);
    Actor{word.cancelled_by, word.cancelled_by_username, word.cancelled_by_role}
        .To(cancelled.mutable_actor());
    if (word.cancelled_at.has_value())
      *cancelled.mutable_occurred_at() = ToProto(*word.cancelled_at);
  }
  if (shipment.accepted) {
    auto& accepted = *state.mutable_accepted();
    accepted.set_shipment_remarks(word.accept_remarks);
    Actor{word.accepted_by, word.accepted_by_username, word.accepted_by_role}
        .To(accepted.mutable_actor());
    if (shipment.accepted_at.has_value())
      *accepted.mutable_occurred_at() = ToProto(*shipment.accepted_at);
    if (word.received_grams.has_value())
      accepted.set_received_grams(*word.received_grams);
    AddAll(missing, accepted.mutable_missing_barcodes());
    AddAll(damaged, accepted.mutable_damaged_barcodes());
    AddAll(sent_back, accepted.mutable_sent_back_barcodes());
  }
  return state;
}

constexpr std::string_view kSchedule = R"(
  SELECT schedule_code::text AS key, order_epoch AS epoch, schedule_code, order_version,
    order_changed_at, schedule_date, order_code, shift, section, quantity_grams,
    completed, completed_at, completed_by, completed_by_username, completed_by_role
  FROM schedule WHERE order_version > 0
)";

sync::v1::ScheduleState ReadSchedule(const db::Row& row) {
  std::string key;
  Schedule schedule;
  row.Into(key, schedule.order_epoch, schedule.schedule_code,
           schedule.order_version, schedule.order_changed_at,
           schedule.schedule_date, schedule.order_code, schedule.shift,
           schedule.section, schedule.quantity_grams, schedule.completed,
           schedule.completed_at, schedule.completed_by,
           schedule.completed_by_username, schedule.completed_by_role);
  sync::v1::ScheduleState state;
  sync::KeptStamp{schedule.order_epoch, schedule.order_version,
                  schedule.order_changed_at}
      .To(state.mutable_stamp());
  state.set_schedule_code(schedule.schedule_code);
  *state.mutable_date() = ToProto(schedule.schedule_date);
  state.set_order_code(schedule.order_code);
  state.set_shift(schedule.shift);
  state.set_section(schedule.section);
  state.set_quantity_grams(schedule.quantity_grams);
  state.set_completed(schedule.completed);
  if (schedule.completed) {
    if (schedule.completed_at.has_value())
      *state.mutable_completed_at() = ToProto(*schedule.completed_at);
    Actor{schedule.completed_by, schedule.completed_by_username,
          schedule.completed_by_role}
        .To(state.mutable_completed_by());
  }
  return state;
}

constexpr std::string_view kRevocation = R"(
  SELECT subject::text AS key, order_epoch AS epoch, subject, order_version,
    order_changed_at, disabled, revoked_before
  FROM revoked_user WHERE order_version > 0
)";

sync::v1::RevocationState ReadRevocation(const db::Row& row) {
  std::string key;
  RevokedUser user;
  row.Into(key, user.order_epoch, user.subject, user.order_version,
           user.order_changed_at, user.disabled, user.revoked_before);
  sync::v1::RevocationState state;
  sync::KeptStamp{user.order_epoch, user.order_version, user.order_changed_at}
      .To(state.mutable_stamp());
  state.set_subject(user.subject.ToString());
  *state.mutable_refuse_issued_before() = ToProto(user.revoked_before);
  state.set_disabled(user.disabled);
  return state;
}

constexpr db::Statement kGreatestShipment{
    "SELECT coalesce(max(order_version), 0), coalesce(max(request_code), 0) "
    "FROM shipment"};
constexpr db::Statement kGreatestSchedule{
    "SELECT coalesce(max(order_version), 0), coalesce(max(schedule_code), 0) "
    "FROM schedule"};
constexpr db::Statement kGreatestRevocation{
    "SELECT coalesce(max(order_version), 0), 0::bigint FROM revoked_user"};

}  // namespace

std::vector<sync::Relay::Route> RelayRoutes() {
  return {sync::MakeRoute<sync::v1::ApplyShipmentProgressRequest,
                          sync::v1::ApplyShipmentProgressResponse>(
              sync::kShipmentProgress,
              "mtp.sync.v1.OrderSyncService/ApplyShipmentProgress",
              kFetchShipmentProgress, ReadShipmentProgress),
          sync::MakeRoute<sync::v1::ApplyScheduleProgressRequest,
                          sync::v1::ApplyScheduleProgressResponse>(
              sync::kScheduleProgress,
              "mtp.sync.v1.OrderSyncService/ApplyScheduleProgress",
              kFetchScheduleProgress, ReadScheduleProgress)};
}

std::vector<reconciliation::Facts> SharedFacts() {
  using reconciliation::ReadAs;
  using reconciliation::SelectByKeys;
  using reconciliation::SelectPage;
  using sync::v1::State;
  return {
      {.kind = EntityKind::ENTITY_KIND_SHIPMENT_PROGRESS,
       .owner = common::v1::SIDE_PROCESSING,
       .read = ReadAs<&State::mutable_shipment_progress, ReadShipmentProgress>,
       .by_keys = kFetchShipmentProgress,
       .page = kPageOfShipmentProgress,
       .greatest = kGreatestShipmentProgress,
       .raise = kRaiseShipmentProgress},
      {.kind = EntityKind::ENTITY_KIND_SCHEDULE_PROGRESS,
       .owner = common::v1::SIDE_PROCESSING,
       .read = ReadAs<&State::mutable_schedule_progress, ReadScheduleProgress>,
       .by_keys = kFetchScheduleProgress,
       .page = kPageOfScheduleProgress,
       .greatest = kGreatestScheduleProgress,
       .raise = kRaiseScheduleProgress},
      {.kind = EntityKind::ENTITY_KIND_SHIPMENT,
       .owner = common::v1::SIDE_ORDER,
       .read = ReadAs<&State::mutable_shipment, ReadShipment>,
       .by_keys = SelectByKeys(kShipment),
       .page = SelectPage(kShipment),
       .greatest = kGreatestShipment},
      {.kind = EntityKind::ENTITY_KIND_SCHEDULE,
       .owner = common::v1::SIDE_ORDER,
       .read = ReadAs<&State::mutable_schedule, ReadSchedule>,
       .by_keys = SelectByKeys(kSchedule),
       .page = SelectPage(kSchedule),
       .greatest = kGreatestSchedule},
      {.kind = EntityKind::ENTITY_KIND_REVOCATION,
       .owner = common::v1::SIDE_ORDER,
       .read = ReadAs<&State::mutable_revocation, ReadRevocation>,
       .by_keys = SelectByKeys(kRevocation),
       .page = SelectPage(kRevocation),
       .greatest = kGreatestRevocation}};
}

}  // namespace mtp::processing
