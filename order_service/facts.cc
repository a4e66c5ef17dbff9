#include "order_service/facts.h"

#include <string>
#include <string_view>

#include "common/base/protos.h"
#include "common/sync/link_state.h"
#include "common/sync/outbox.h"

namespace mtp::order {
namespace {

using handlers::Actor;
using sync::v1::EntityKind;

// --- our own

// What waits for approval or was denied is never told.
constexpr std::string_view kShipmentState = R"(
  0::bigint AS epoch, shipment.request_code, shipment.shipment_code, order_code,
    product_name, item_code, quantity_grams, split_from_shipment_code, special, approval,
    closed_short, cancelled, cancel_remarks, cancelled_by, cancelled_by_username,
    cancelled_by_role, cancelled_at, accepted, accept_remarks, accepted_by,
    accepted_by_username, accepted_by_role, accepted_at, received_grams, recovered,
    version, changed_at, created_at,
    differences.missing, differences.damaged, differences.sent_back
)";
constexpr std::string_view kDifferencesOfToldShipments = R"(
  CROSS JOIN LATERAL (
    SELECT
      coalesce(array_agg(d.barcode::text ORDER BY d.barcode)
        FILTER (WHERE d.kind = 'MISSING'), '{}') AS missing,
      coalesce(array_agg(d.barcode::text ORDER BY d.barcode)
        FILTER (WHERE d.kind = 'DAMAGED'), '{}') AS damaged,
      coalesce(array_agg(d.barcode::text ORDER BY d.barcode)
        FILTER (WHERE d.kind = 'SENT_BACK'), '{}') AS sent_back
    FROM shipment_difference AS d
    WHERE shipment.accepted AND d.request_code = shipment.request_code
      AND d.shipment_code = shipment.shipment_code) AS differences
  WHERE approval IN ('NONE', 'ALLOWED')
)";
constexpr std::string_view kWantedShipments = R"(
  FROM unnest($1::text[]) AS wanted (key)
  JOIN shipment ON shipment.request_code = split_part(wanted.key, '/', 1)::bigint
               AND shipment.shipment_code = split_part(wanted.key, '/', 2)::bigint
)";
const db::Statement kFetchShipments =
    db::Compose({"SELECT wanted.key, ", kShipmentState, kWantedShipments,
                 kDifferencesOfToldShipments, reconciliation::kInOrderOfKeys});
const db::Statement kPageOfShipments = reconciliation::SelectPage(
    db::Compose({"SELECT shipment.request_code || '/' || "
                 "shipment.shipment_code AS key, ",
                 kShipmentState, " FROM shipment ",
                 kDifferencesOfToldShipments})
        .sql);

void AddAll(const std::vector<std::string>& barcodes,
            google::protobuf::RepeatedPtrField<std::string>* proto) {
  proto->Add(barcodes.begin(), barcodes.end());
}

sync::v1::ShipmentState ReadShipmentState(const db::Row& row) {
  std::string key;
  int64_t epoch = 0;
  Shipment shipment;
  std::vector<std::string> missing, damaged, sent_back;
  row.Into(key, epoch, shipment.request_code, shipment.shipment_code,
           shipment.order_code, shipment.product_name, shipment.item_code,
           shipment.quantity_grams, shipment.split_from_shipment_code,
           shipment.special, shipment.approval, shipment.closed_short,
           shipment.cancelled, shipment.cancel_remarks, shipment.cancelled_by,
           shipment.cancelled_by_username, shipment.cancelled_by_role,
           shipment.cancelled_at, shipment.accepted, shipment.accept_remarks,
           shipment.accepted_by, shipment.accepted_by_username,
           shipment.accepted_by_role, shipment.accepted_at,
           shipment.received_grams, shipment.recovered, shipment.version,
           shipment.changed_at, shipment.created_at, missing, damaged,
           sent_back);
  sync::v1::ShipmentState state;
  state.mutable_stamp()->set_version(shipment.version);
  *state.mutable_stamp()->mutable_changed_at() = ToProto(shipment.changed_at);
  state.mutable_stamp()->set_recovered(shipment.recovered);
  shipment.key().To(state.mutable_key());
  state.set_order_code(shipment.order_code);
  state.set_product_name(shipment.product_name);
  state.set_item_code(shipment.item_code);
  state.set_quantity_grams(shipment.quantity_grams);
  state.set_special(shipment.special);
  state.set_approved(shipment.Told());
  state.set_closed_short(shipment.closed_short);
  *state.mutable_created_at() = ToProto(shipment.created_at);
  state.set_split_from_shipment_code(
      static_cast<int32_t>(shipment.split_from_shipment_code));
  if (shipment.cancelled) {
    auto& cancelled = *state.mutable_cancelled();
    cancelled.set_order_remarks(shipment.cancel_remarks);
    Actor{shipment.cancelled_by, shipment.cancelled_by_username,
          shipment.cancelled_by_role}
        .To(cancelled.mutable_actor());
    *cancelled.mutable_occurred_at() = ToProto(*shipment.cancelled_at);
  }
  if (shipment.accepted) {
    auto& accepted = *state.mutable_accepted();
    accepted.set_shipment_remarks(shipment.accept_remarks);
    Actor{shipment.accepted_by, shipment.accepted_by_username,
          shipment.accepted_by_role}
        .To(accepted.mutable_actor());
    *accepted.mutable_occurred_at() = ToProto(*shipment.accepted_at);
    if (shipment.received_grams)
      accepted.set_received_grams(*shipment.received_grams);
    AddAll(missing, accepted.mutable_missing_barcodes());
    AddAll(damaged, accepted.mutable_damaged_barcodes());
    AddAll(sent_back, accepted.mutable_sent_back_barcodes());
  }
  return state;
}

constexpr std::string_view kScheduleState = R"(
  0::bigint AS epoch, schedule_code, schedule_date, order_code, shift, section,
    quantity_grams, completed, completed_at, completed_by, completed_by_username,
    completed_by_role, recovered, version, changed_at
)";
const db::Statement kFetchSchedules =
    db::Compose({"SELECT wanted.key, ", kScheduleState, R"(
  FROM unnest($1::text[]) AS wanted (key)
  JOIN schedule ON schedule.schedule_code = wanted.key::bigint)",
                 reconciliation::kInOrderOfKeys});
const db::Statement kPageOfSchedules = reconciliation::SelectPage(
    db::Compose({"SELECT schedule_code::text AS key, ", kScheduleState,
                 " FROM schedule"})
        .sql);

sync::v1::ScheduleState ReadScheduleState(const db::Row& row) {
  std::string key;
  int64_t epoch = 0;
  Schedule schedule;
  row.Into(key, epoch, schedule.schedule_code, schedule.schedule_date,
           schedule.order_code, schedule.shift, schedule.section,
           schedule.quantity_grams, schedule.completed, schedule.completed_at,
           schedule.completed_by, schedule.completed_by_username,
           schedule.completed_by_role, schedule.recovered, schedule.version,
           schedule.changed_at);
  sync::v1::ScheduleState state;
  state.mutable_stamp()->set_version(schedule.version);
  *state.mutable_stamp()->mutable_changed_at() = ToProto(schedule.changed_at);
  state.mutable_stamp()->set_recovered(schedule.recovered);
  state.set_schedule_code(schedule.schedule_code);
  *state.mutable_date() = ToProto(schedule.schedule_date);
  state.set_order_code(schedule.order_code);
  state.set_shift(schedule.shift);
  state.set_section(schedule.section);
  state.set_quantity_grams(schedule.quantity_grams);
  state.set_completed(schedule.completed);
  if (schedule.completed) {
    *state.mutable_completed_at() = ToProto(*schedule.completed_at);
    Actor{schedule.completed_by, schedule.completed_by_username,
          schedule.completed_by_role}
        .To(state.mutable_completed_by());
  }
  return state;
}

constexpr std::string_view kRevocationState =
    "0::bigint AS epoch, subject, username, disabled, revoked_before, version, "
    "changed_at";
const db::Statement kFetchRevocations =
    db::Compose({"SELECT wanted.key, ", kRevocationState, R"(
  FROM unnest($1::text[]) AS wanted (key)
  JOIN admin.revocation ON revocation.subject = wanted.key::uuid)",
                 reconciliation::kInOrderOfKeys});
const db::Statement kPageOfRevocations = reconciliation::SelectPage(
    db::Compose({"SELECT subject::text AS key, ", kRevocationState,
                 " FROM admin.revocation"})
        .sql);

sync::v1::RevocationState ReadRevocationState(const db::Row& row) {
  std::string key;
  int64_t epoch = 0;
  Revocation revocation;
  row.Into(key, epoch, revocation.subject, revocation.username,
           revocation.disabled, revocation.revoked_before, revocation.version,
           revocation.changed_at);
  sync::v1::RevocationState state;
  state.mutable_stamp()->set_version(revocation.version);
  *state.mutable_stamp()->mutable_changed_at() = ToProto(revocation.changed_at);
  state.set_subject(revocation.subject.ToString());
  *state.mutable_refuse_issued_before() = ToProto(revocation.revoked_before);
  state.set_disabled(revocation.disabled);
  return state;
}

constexpr db::Statement kGreatestShipment{R"(
  SELECT coalesce(max(version), 0), coalesce((SELECT max(request_code) FROM order_request), 0)
  FROM shipment
)"};
constexpr db::Statement kGreatestSchedule{
    "SELECT coalesce(max(version), 0), coalesce(max(schedule_code), 0) FROM "
    "schedule"};
constexpr db::Statement kGreatestRevocation{
    "SELECT coalesce(max(version), 0), 0::bigint FROM admin.revocation"};

const db::Statement kRaiseShipments =
    reconciliation::Raise("shipment",
                          "request_code = split_part(key, '/', 1)::bigint AND "
                          "shipment_code = split_part(key, '/', 2)::bigint");
const db::Statement kRaiseSchedules =
    reconciliation::Raise("schedule", "schedule_code = key::bigint");
const db::Statement kRaiseRevocations =
    reconciliation::Raise("admin.revocation", "subject = key::uuid");

// --- our copies of Seeduwa's

constexpr std::string_view kShipmentProgress = R"(
  SELECT request_code || '/' || shipment_code AS key, progress_epoch AS epoch,
    request_code, shipment_code, progress_version, progress_changed_at,
    replace(readiness, 'NONE', ''), readiness_remarks, readiness_by,
    readiness_by_username, readiness_by_role, readiness_at, allocated_grams, dispatched,
    dispatch_vehicle, dispatched_at, dispatched_by, dispatched_by_username,
    dispatched_by_role, dispatched_grams, dispatched_bags, manifest_digest,
    correction_reason, corrected_by, corrected_by_username, corrected_by_role, corrected_at
  FROM shipment WHERE progress_version > 0
)";

sync::v1::ShipmentProgressState ReadShipmentProgress(const db::Row& row) {
  std::string key;
  Shipment shipment;
  row.Into(key, shipment.progress_epoch, shipment.request_code,
           shipment.shipment_code, shipment.progress_version,
           shipment.progress_changed_at, shipment.readiness,
           shipment.readiness_remarks, shipment.readiness_by,
           shipment.readiness_by_username, shipment.readiness_by_role,
           shipment.readiness_at, shipment.allocated_grams, shipment.dispatched,
           shipment.dispatch_vehicle, shipment.dispatched_at,
           shipment.dispatched_by, shipment.dispatched_by_username,
           shipment.dispatched_by_role, shipment.dispatched_grams,
           shipment.dispatched_bags, shipment.manifest_digest,
           shipment.correction_reason, shipment.corrected_by,
           shipment.corrected_by_username, shipment.corrected_by_role,
           shipment.corrected_at);
  sync::v1::ShipmentProgressState state;
  sync::KeptStamp{shipment.progress_epoch, shipment.progress_version,
                  shipment.progress_changed_at}
      .To(state.mutable_stamp());
  shipment.key().To(state.mutable_key());
  state.set_readiness(shipment.readiness);
  state.set_order_remarks(shipment.readiness_remarks);
  if (shipment.readiness_at.has_value()) {
    Actor{shipment.readiness_by, shipment.readiness_by_username,
          shipment.readiness_by_role}
        .To(state.mutable_readiness_actor());
    *state.mutable_readiness_at() = ToProto(*shipment.readiness_at);
  }
  state.set_allocated_grams(shipment.allocated_grams);
  if (shipment.dispatched) {
    auto& dispatch = *state.mutable_dispatch();
    dispatch.set_shipment_vehicle(shipment.dispatch_vehicle);
    if (shipment.dispatched_at.has_value())
      *dispatch.mutable_dispatched_at() = ToProto(*shipment.dispatched_at);
    dispatch.set_bag_count(shipment.dispatched_bags);
    dispatch.set_dispatched_grams(shipment.dispatched_grams);
    if (shipment.manifest_digest.has_value())
      dispatch.set_manifest_digest(shipment.manifest_digest->value);
    Actor{shipment.dispatched_by, shipment.dispatched_by_username,
          shipment.dispatched_by_role}
        .To(dispatch.mutable_actor());
  }
  if (shipment.corrected_at.has_value()) {
    state.set_correction_reason(shipment.correction_reason);
    Actor{shipment.corrected_by, shipment.corrected_by_username,
          shipment.corrected_by_role}
        .To(state.mutable_correction_actor());
    *state.mutable_corrected_at() = ToProto(*shipment.corrected_at);
  }
  return state;
}

constexpr std::string_view kScheduleProgress = R"(
  SELECT schedule_code::text AS key, progress_epoch AS epoch, schedule_code,
    progress_version, progress_changed_at, parcel_count, parcel_grams
  FROM schedule WHERE progress_version > 0
)";

sync::v1::ScheduleProgressState ReadScheduleProgress(const db::Row& row) {
  std::string key;
  Schedule schedule;
  row.Into(key, schedule.progress_epoch, schedule.schedule_code,
           schedule.progress_version, schedule.progress_changed_at,
           schedule.parcel_count, schedule.parcel_grams);
  sync::v1::ScheduleProgressState state;
  sync::KeptStamp{schedule.progress_epoch, schedule.progress_version,
                  schedule.progress_changed_at}
      .To(state.mutable_stamp());
  state.set_schedule_code(schedule.schedule_code);
  state.set_parcel_count(schedule.parcel_count);
  state.set_parcel_grams(schedule.parcel_grams);
  return state;
}

constexpr db::Statement kGreatestShipmentProgress{
    "SELECT coalesce(max(progress_version), 0), 0::bigint FROM shipment"};
constexpr db::Statement kGreatestScheduleProgress{
    "SELECT coalesce(max(progress_version), 0), 0::bigint FROM schedule"};

}  // namespace

std::vector<sync::Relay::Route> RelayRoutes() {
  using namespace sync::v1;
  return {
      sync::MakeRoute<ApplyShipmentsRequest, ApplyShipmentsResponse,
                      ShipmentState>(
          sync::kShipment, "mtp.sync.v1.ProcessingSyncService/ApplyShipments",
          kFetchShipments, ReadShipmentState),
      sync::MakeRoute<ApplySchedulesRequest, ApplySchedulesResponse,
                      ScheduleState>(
          sync::kSchedule, "mtp.sync.v1.ProcessingSyncService/ApplySchedules",
          kFetchSchedules, ReadScheduleState),
      sync::MakeRoute<ApplyRevocationsRequest, ApplyRevocationsResponse,
                      RevocationState>(
          sync::kRevocation,
          "mtp.sync.v1.ProcessingSyncService/ApplyRevocations",
          kFetchRevocations, ReadRevocationState)};
}

std::vector<reconciliation::Facts> SharedFacts() {
  using reconciliation::ReadAs;
  using reconciliation::SelectByKeys;
  using reconciliation::SelectPage;
  using sync::v1::State;
  return {
      {.kind = EntityKind::ENTITY_KIND_SHIPMENT,
       .owner = common::v1::SIDE_ORDER,
       .read = ReadAs<&State::mutable_shipment, ReadShipmentState>,
       .by_keys = kFetchShipments,
       .page = kPageOfShipments,
       .greatest = kGreatestShipment,
       .raise = kRaiseShipments},
      {.kind = EntityKind::ENTITY_KIND_SCHEDULE,
       .owner = common::v1::SIDE_ORDER,
       .read = ReadAs<&State::mutable_schedule, ReadScheduleState>,
       .by_keys = kFetchSchedules,
       .page = kPageOfSchedules,
       .greatest = kGreatestSchedule,
       .raise = kRaiseSchedules},
      {.kind = EntityKind::ENTITY_KIND_REVOCATION,
       .owner = common::v1::SIDE_ORDER,
       .read = ReadAs<&State::mutable_revocation, ReadRevocationState>,
       .by_keys = kFetchRevocations,
       .page = kPageOfRevocations,
       .greatest = kGreatestRevocation,
       .raise = kRaiseRevocations},
      {.kind = EntityKind::ENTITY_KIND_SHIPMENT_PROGRESS,
       .owner = common::v1::SIDE_PROCESSING,
       .read = ReadAs<&State::mutable_shipment_progress, ReadShipmentProgress>,
       .by_keys = SelectByKeys(kShipmentProgress),
       .page = SelectPage(kShipmentProgress),
       .greatest = kGreatestShipmentProgress},
      {.kind = EntityKind::ENTITY_KIND_SCHEDULE_PROGRESS,
       .owner = common::v1::SIDE_PROCESSING,
       .read = ReadAs<&State::mutable_schedule_progress, ReadScheduleProgress>,
       .by_keys = SelectByKeys(kScheduleProgress),
       .page = SelectPage(kScheduleProgress),
       .greatest = kGreatestScheduleProgress}};
}

}  // namespace mtp::order
