#include "order_service/sync.h"

#include <optional>
#include <string>
#include <string_view>

#include "common/base/protos.h"
#include "common/handlers/cause.h"
#include "common/handlers/hearing.h"
#include "common/rpc/validation.h"
#include "order_service/exceptions.h"

namespace mtp::order {
namespace {

using handlers::Actor;
using handlers::Cause;
using sync::v1::ScheduleProgressState;
using sync::v1::ShipmentProgressState;
using sync::v1::Verdict;

Verdict Invalid(std::string_view message) {
  return sync::Poison("INVALID_STATE", message);
}

// The rules that the contract declares, and what a stamp must have.
template <typename State>
std::optional<Verdict> JudgeForm(const State& state, absl::Time now) {
  static const auto* validator = new rpc::Validator(State::descriptor());
  if (absl::Status status = validator->Check(state, now); !status.ok()) {
    return Invalid(std::string(status.message()));
  }
  if (state.stamp().epoch() < 1 || state.stamp().version() < 1) {
    return Invalid("stamp.epoch and stamp.version must be at least 1");
  }
  return std::nullopt;
}

Actor ActorOf(const common::v1::Actor& proto) {
  return {proto.subject(), proto.username(), proto.role()};
}

std::optional<absl::Time> TimeOf(bool has,
                                 const google::protobuf::Timestamp& proto) {
  return has ? std::optional(FromProto(proto)) : std::nullopt;
}

// When a state became so, as told; else when it was heard.
absl::Time ChangedAt(const sync::v1::Stamp& stamp, const Context& context) {
  return stamp.has_changed_at() ? FromProto(stamp.changed_at()) : context.now();
}

// --- shipment progress: readiness

bool SaysReadiness(const ShipmentProgressState& state,
                   const Shipment& shipment) {
  return state.readiness() != shipment.readiness ||
         TimeOf(state.has_readiness_at(), state.readiness_at()) !=
             shipment.readiness_at;
}

void TakeReadiness(const ShipmentProgressState& state, const Cause& cause,
                   Shipment& shipment, Context& context, Rows& rows) {
  const ShipmentStatus from = shipment.status;
  const Actor actor = ActorOf(state.readiness_actor());
  shipment.readiness = state.readiness();
  shipment.readiness_remarks = state.order_remarks();
  shipment.readiness_by = actor.subject;
  shipment.readiness_by_username = actor.username;
  shipment.readiness_by_role = actor.role;
  shipment.readiness_at =
      TimeOf(state.has_readiness_at(), state.readiness_at());
  shipment.Heard(context.now());
  Record(shipment, v1::SHIPMENT_EVENT_CAUSE_READINESS, from,
         {.actor = actor,
          .occurred_at =
              shipment.readiness_at.value_or(ChangedAt(state.stamp(), context)),
          .remarks = state.order_remarks(),
          .correlation_id = cause.correlation_id()},
         context, rows);
}

// --- shipment progress: dispatch

bool SaysDispatch(const ShipmentProgressState& state,
                  const Shipment& shipment) {
  if (state.has_dispatch() != shipment.dispatched) return true;
  if (!state.has_dispatch()) return false;
  const ShipmentProgressState::Dispatch& dispatch = state.dispatch();
  return dispatch.shipment_vehicle() != shipment.dispatch_vehicle ||
         dispatch.dispatched_grams() != shipment.dispatched_grams ||
         dispatch.bag_count() != shipment.dispatched_bags ||
         FromProto(dispatch.dispatched_at()) != shipment.dispatched_at ||
         dispatch.manifest_digest() !=
             shipment.manifest_digest.value_or(db::Bytes{}).value;
}

void CopyDispatch(const ShipmentProgressState& state, Shipment& shipment) {
  const ShipmentProgressState::Dispatch& dispatch = state.dispatch();
  const Actor actor = ActorOf(dispatch.actor());
  shipment.dispatched = state.has_dispatch();
  shipment.dispatch_vehicle = dispatch.shipment_vehicle();
  shipment.dispatched_at =
      TimeOf(dispatch.has_dispatched_at(), dispatch.dispatched_at());
  shipment.dispatched_by = actor.subject;
  shipment.dispatched_by_username = actor.username;
  shipment.dispatched_by_role = actor.role;
  shipment.dispatched_grams = dispatch.dispatched_grams();
  shipment.dispatched_bags = dispatch.bag_count();
  shipment.manifest_digest.reset();
  if (!dispatch.manifest_digest().empty()) {
    shipment.manifest_digest = db::Bytes{dispatch.manifest_digest()};
  }
}

// Whether so little was left behind that nobody sends a truck for it.
bool WithinTolerance(const Shipment& shipment, const Rows& rows) {
  constexpr int64_t kMillion = 1'000'000;
  const int64_t rest = shipment.quantity_grams - shipment.dispatched_grams;
  return rest * kMillion <=
         shipment.quantity_grams * rows.settings.closed_short_tolerance_ppm;
}

// Whether a shipment is closed short is our own word.
void SetClosedShort(bool closed_short, Shipment& shipment, Context& context) {
  if (shipment.closed_short == closed_short) return;
  shipment.closed_short = closed_short;
  shipment.Changed(context.now());
  context.Audit("shipment", shipment.key().Text(),
                closed_short ? "closed short" : "not closed short any more",
                {{"quantity_grams", shipment.quantity_grams},
                 {"dispatched_grams", shipment.dispatched_grams}});
  Tell(shipment, context);
}

// A dispatch is physical and stands. What it leaves of the quantity becomes the
// next shipment, and what does not fit our own facts is for a person to settle.
void SettleDispatch(const Said& said, Shipment& shipment, Context& context,
                    Rows& rows) {
  if (shipment.accepted) {
    OpenCorrectedAfterAcceptance(shipment, said.correlation_id, context, rows);
    return;
  }
  if (!shipment.dispatched) {
    SetClosedShort(false, shipment, context);
    return;
  }
  if (shipment.cancelled) {
    OpenDispatchedAfterCancellation(shipment, said.correlation_id, context,
                                    rows);
    return;
  }
  const bool less = shipment.dispatched_grams < shipment.quantity_grams;
  SetClosedShort(less && WithinTolerance(shipment, rows), shipment, context);
  if (shipment.dispatched_grams > shipment.quantity_grams) {
    OpenDispatchedMoreThanOrdered(shipment, said.correlation_id, context, rows);
  } else if (less && !shipment.closed_short) {
    Split(shipment, shipment.dispatched_grams, said, context, rows);
  }
}

void TakeDispatch(const ShipmentProgressState& state, const Cause& cause,
                  Shipment& shipment, Context& context, Rows& rows) {
  const ShipmentStatus from = shipment.status;
  const bool first = !shipment.dispatched;
  CopyDispatch(state, shipment);
  shipment.Heard(context.now());
  Said said{.vehicle = shipment.dispatch_vehicle,
            .correlation_id = cause.correlation_id()};
  if (first) {
    said.actor = ActorOf(state.dispatch().actor());
    said.occurred_at = *shipment.dispatched_at;
  } else {
    said.actor = ActorOf(state.correction_actor());
    said.occurred_at = state.has_corrected_at()
                           ? FromProto(state.corrected_at())
                           : ChangedAt(state.stamp(), context);
    said.remarks = state.correction_reason();
  }
  Record(shipment,
         first ? v1::SHIPMENT_EVENT_CAUSE_DISPATCHED
               : v1::SHIPMENT_EVENT_CAUSE_DISPATCH_CORRECTED,
         from, said, context, rows);
  SettleDispatch(said, shipment, context, rows);
}

// --- shipment progress: all of it

std::optional<Verdict> Judge(const ShipmentProgressState& state,
                             absl::Time now) {
  if (!state.has_key()) return Invalid("key is missing");
  if (auto verdict = JudgeForm(state, now); verdict.has_value()) return verdict;
  if (!state.has_dispatch()) return std::nullopt;
  const ShipmentProgressState::Dispatch& dispatch = state.dispatch();
  if (!dispatch.has_dispatched_at())
    return Invalid("dispatch.dispatched_at is missing");
  if (dispatch.dispatched_grams() < 1) {
    return Invalid("dispatch.dispatched_grams must be at least 1");
  }
  if (dispatch.bag_count() < 0)
    return Invalid("dispatch.bag_count is negative");
  return std::nullopt;
}

Verdict ApplyShipmentProgress(const ShipmentProgressState& state,
                              Context& context, Rows& rows) {
  const auto key = db::ShipmentKey::Of(state.key());
  const Shipment* found = rows.shipments.Find(key);
  if (found != nullptr && !sync::IsNewer(state.stamp(), found->progress_epoch,
                                         found->progress_version)) {
    return sync::Stale();
  }
  if (auto verdict = Judge(state, context.now()); verdict.has_value())
    return *verdict;
  if (found == nullptr || !found->Told()) {
    return sync::Poison("UNKNOWN_SHIPMENT", "shipment " + key.Text() +
                                                " was never given to Seeduwa");
  }

  const Cause cause(state.stamp(), context);
  Shipment& shipment = rows.shipments.Edit(*found);
  shipment.progress_epoch = state.stamp().epoch();
  shipment.progress_version = state.stamp().version();
  shipment.progress_changed_at = ChangedAt(state.stamp(), context);
  shipment.allocated_grams = state.allocated_grams();
  const Actor corrector = ActorOf(state.correction_actor());
  shipment.correction_reason = state.correction_reason();
  shipment.corrected_by = corrector.subject;
  shipment.corrected_by_username = corrector.username;
  shipment.corrected_by_role = corrector.role;
  shipment.corrected_at =
      TimeOf(state.has_corrected_at(), state.corrected_at());
  context.Audit("shipment", key.Text(), "heard",
                {{"progress_epoch", shipment.progress_epoch},
                 {"progress_version", shipment.progress_version},
                 {"allocated_grams", shipment.allocated_grams},
                 {"dispatched", state.has_dispatch()}});
  if (SaysReadiness(state, shipment)) {
    TakeReadiness(state, cause, shipment, context, rows);
  }
  if (SaysDispatch(state, shipment)) {
    TakeDispatch(state, cause, shipment, context, rows);
  }
  shipment.Heard(context.now());
  return sync::Applied();
}

// A dispatch may split the shipment: that takes the next code of its request.
void TouchShipmentProgress(const ShipmentProgressState& state, Rows& rows) {
  const auto key = db::ShipmentKey::Of(state.key());
  rows.shipments.Want(key);
  if (!state.has_dispatch()) return;
  rows.requests.Want(key.request_code);
  WantExceptions(key, rows);
}

const handlers::Hearing<Rows, ShipmentProgressState> kShipmentProgressHearing{
    .kind = sync::kShipmentProgress,
    .key = [](const auto& state) { return KeyText(state.key()); },
    .touch = TouchShipmentProgress,
    .apply = ApplyShipmentProgress};

// --- schedule progress

std::optional<Verdict> Judge(const ScheduleProgressState& state,
                             absl::Time now) {
  if (auto verdict = JudgeForm(state, now); verdict.has_value()) return verdict;
  if (state.parcel_count() < 0) return Invalid("parcel_count is negative");
  return std::nullopt;
}

// Parcels that were made before the schedule was completed may be heard of
// later: only those that came after it do not fit.
bool AfterCompletion(const ScheduleProgressState& state,
                     const Schedule& schedule, const Context& context) {
  return schedule.completed && schedule.completed_at.has_value() &&
         ChangedAt(state.stamp(), context) > *schedule.completed_at &&
         (state.parcel_count() != schedule.parcel_count ||
          state.parcel_grams() != schedule.parcel_grams);
}

Verdict ApplyScheduleProgress(const ScheduleProgressState& state,
                              Context& context, Rows& rows) {
  const Schedule* found = rows.schedules.Find(state.schedule_code());
  if (found != nullptr && !sync::IsNewer(state.stamp(), found->progress_epoch,
                                         found->progress_version)) {
    return sync::Stale();
  }
  if (auto verdict = Judge(state, context.now()); verdict.has_value())
    return *verdict;
  if (found == nullptr) {
    return sync::Poison("UNKNOWN_SCHEDULE",
                        "schedule " + std::to_string(state.schedule_code()) +
                            " was never given to Seeduwa");
  }

  const Cause cause(state.stamp(), context);
  Schedule& schedule = rows.schedules.Edit(*found);
  const bool after_completion = AfterCompletion(state, schedule, context);
  const int64_t grams_before = schedule.parcel_grams;
  schedule.progress_epoch = state.stamp().epoch();
  schedule.progress_version = state.stamp().version();
  schedule.progress_changed_at = ChangedAt(state.stamp(), context);
  schedule.progress_heard_at = context.now();
  schedule.parcel_count = state.parcel_count();
  schedule.parcel_grams = state.parcel_grams();
  context.Audit("schedule", schedule.KeyText(), "heard",
                {{"progress_epoch", schedule.progress_epoch},
                 {"progress_version", schedule.progress_version},
                 {"parcel_count", schedule.parcel_count},
                 {"parcel_grams", schedule.parcel_grams}});
  if (after_completion) {
    OpenParcelsAfterCompletion(schedule, grams_before, cause.correlation_id(),
                               context, rows);
  }
  return sync::Applied();
}

void TouchScheduleProgress(const ScheduleProgressState& state, Rows& rows) {
  rows.schedules.Want(state.schedule_code());
}

const handlers::Hearing<Rows, ScheduleProgressState> kScheduleProgressHearing{
    .kind = sync::kScheduleProgress,
    .key =
        [](const auto& state) { return std::to_string(state.schedule_code()); },
    .touch = TouchScheduleProgress,
    .apply = ApplyScheduleProgress};

// --- both

void TouchApplyShipmentProgress(
    const sync::v1::ApplyShipmentProgressRequest& request, Rows& rows) {
  handlers::TouchStates(kShipmentProgressHearing, request, rows);
}

void TouchApplyScheduleProgress(
    const sync::v1::ApplyScheduleProgressRequest& request, Rows& rows) {
  handlers::TouchStates(kScheduleProgressHearing, request, rows);
}

// --- telling

// What waits for approval or was denied is never told.
constexpr db::Statement kFetchShipments{R"(
  SELECT wanted.key, shipment.request_code, shipment.shipment_code, order_code,
    product_name, item_code, quantity_grams, split_from_shipment_code, special, approval,
    closed_short, cancelled, cancel_remarks, cancelled_by, cancelled_by_username,
    cancelled_by_role, cancelled_at, accepted, accept_remarks, accepted_by,
    accepted_by_username, accepted_by_role, accepted_at, received_grams, recovered,
    version, changed_at, created_at,
    differences.missing, differences.damaged, differences.sent_back
  FROM unnest($1::text[]) AS wanted (key)
  JOIN shipment ON shipment.request_code = split_part(wanted.key, '/', 1)::bigint
               AND shipment.shipment_code = split_part(wanted.key, '/', 2)::bigint
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
)"};

void AddAll(const std::vector<std::string>& barcodes,
            google::protobuf::RepeatedPtrField<std::string>* proto) {
  proto->Add(barcodes.begin(), barcodes.end());
}

sync::v1::ShipmentState ReadShipmentState(const db::Row& row) {
  std::string key;
  Shipment shipment;
  std::vector<std::string> missing, damaged, sent_back;
  row.Into(key, shipment.request_code, shipment.shipment_code,
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

constexpr db::Statement kFetchSchedules{R"(
  SELECT wanted.key, schedule_code, schedule_date, order_code, shift, section,
    quantity_grams, completed, completed_at, completed_by, completed_by_username,
    completed_by_role, recovered, version, changed_at
  FROM unnest($1::text[]) AS wanted (key)
  JOIN schedule ON schedule.schedule_code = wanted.key::bigint
)"};

sync::v1::ScheduleState ReadScheduleState(const db::Row& row) {
  std::string key;
  Schedule schedule;
  row.Into(key, schedule.schedule_code, schedule.schedule_date,
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

constexpr db::Statement kFetchRevocations{R"(
  SELECT wanted.key, subject, username, disabled, revoked_before, version, changed_at
  FROM unnest($1::text[]) AS wanted (key)
  JOIN admin.revocation ON revocation.subject = wanted.key::uuid
)"};

sync::v1::RevocationState ReadRevocationState(const db::Row& row) {
  std::string key;
  Revocation revocation;
  row.Into(key, revocation.subject, revocation.username, revocation.disabled,
           revocation.revoked_before, revocation.version,
           revocation.changed_at);
  sync::v1::RevocationState state;
  state.mutable_stamp()->set_version(revocation.version);
  *state.mutable_stamp()->mutable_changed_at() = ToProto(revocation.changed_at);
  state.set_subject(revocation.subject.ToString());
  *state.mutable_refuse_issued_before() = ToProto(revocation.revoked_before);
  state.set_disabled(revocation.disabled);
  return state;
}

}  // namespace

absl::StatusOr<sync::v1::ApplyShipmentProgressResponse>
DecideApplyShipmentProgress(
    const sync::v1::ApplyShipmentProgressRequest& request, Context& context,
    Rows& rows) {
  return handlers::HearStates<sync::v1::ApplyShipmentProgressResponse>(
      kShipmentProgressHearing, request, context, rows);
}

absl::StatusOr<sync::v1::ApplyScheduleProgressResponse>
DecideApplyScheduleProgress(
    const sync::v1::ApplyScheduleProgressRequest& request, Context& context,
    Rows& rows) {
  return handlers::HearStates<sync::v1::ApplyScheduleProgressResponse>(
      kScheduleProgressHearing, request, context, rows);
}

void AddSync(Commands& commands, Queries&) {
  commands.Add("mtp.sync.v1.OrderSyncService/ApplyShipmentProgress",
               TouchApplyShipmentProgress, DecideApplyShipmentProgress);
  commands.Add("mtp.sync.v1.OrderSyncService/ApplyScheduleProgress",
               TouchApplyScheduleProgress, DecideApplyScheduleProgress);
}

std::vector<handlers::EncodedHearing<Rows>> Hearings() {
  return {
      handlers::Encoded(kShipmentProgressHearing),
      handlers::Encoded(kScheduleProgressHearing),
      handlers::Encoded(seals::SealHearing<Rows>(common::v1::SIDE_PROCESSING))};
}

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

}  // namespace mtp::order
