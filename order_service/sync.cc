#include "order_service/sync.h"

#include <optional>
#include <string>

#include "common/base/protos.h"
#include "common/base/test_points.h"
#include "common/handlers/cause.h"
#include "common/handlers/hearing.h"
#include "order_service/exceptions.h"

namespace mtp::order {
namespace {

using handlers::Actor;
using handlers::Cause;
using handlers::Invalid;
using handlers::JudgeForm;
using handlers::TimeOf;
using sync::v1::ScheduleProgressState;
using sync::v1::ShipmentProgressState;
using sync::v1::Verdict;

// When a state became so, as told; else when it was heard.
absl::Time ChangedAt(const sync::v1::Stamp& stamp, const Context& context) {
  return stamp.has_changed_at() ? FromProto(stamp.changed_at()) : context.now();
}

// --- shipment progress: readiness

// Whether somebody said so. A copy that was altered by hand says something else
// of the same moment: that is put right, and nothing has happened.
bool SaysReadiness(const ShipmentProgressState& state,
                   const Shipment& shipment) {
  const auto said_at = TimeOf(state.has_readiness_at(), state.readiness_at());
  return said_at != shipment.readiness_at ||
         (!said_at.has_value() && state.readiness() != shipment.readiness);
}

void CopyReadiness(const ShipmentProgressState& state, Shipment& shipment) {
  const Actor actor = Actor::Of(state.readiness_actor());
  shipment.readiness = state.readiness();
  shipment.readiness_remarks = state.order_remarks();
  shipment.readiness_by = actor.subject;
  shipment.readiness_by_username = actor.username;
  shipment.readiness_by_role = actor.role;
  shipment.readiness_at =
      TimeOf(state.has_readiness_at(), state.readiness_at());
}

void TakeReadiness(const ShipmentProgressState& state, const Cause& cause,
                   Shipment& shipment, Context& context, Rows& rows) {
  const ShipmentStatus from = shipment.status;
  CopyReadiness(state, shipment);
  shipment.Heard(context.now());
  Record(shipment, v1::SHIPMENT_EVENT_CAUSE_READINESS, from,
         {.actor = Actor::Of(state.readiness_actor()),
          .occurred_at =
              shipment.readiness_at.value_or(ChangedAt(state.stamp(), context)),
          .remarks = state.order_remarks(),
          .correlation_id = cause.correlation_id()},
         context, rows);
}

// --- shipment progress: dispatch

// Whether it left or did not leave after all, or its dispatch was corrected
// since it was last heard of; whatever else differs was altered by hand.
bool SaysDispatch(const ShipmentProgressState& state,
                  const Shipment& shipment) {
  if (state.has_dispatch() != shipment.dispatched) return true;
  return state.has_dispatch() &&
         TimeOf(state.has_corrected_at(), state.corrected_at()) !=
             shipment.corrected_at;
}

void CopyDispatch(const ShipmentProgressState& state, Shipment& shipment) {
  const ShipmentProgressState::Dispatch& dispatch = state.dispatch();
  const Actor actor = Actor::Of(dispatch.actor());
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
// `accepted_as_known`: its acceptance was taken back from Seeduwa after a
// restore, and this is the dispatch that it was of, heard of once more.
void SettleDispatch(bool accepted_as_known, const Said& said,
                    Shipment& shipment, Context& context, Rows& rows) {
  if (shipment.accepted && !accepted_as_known) {
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
  if (shipment.dispatched_grams > shipment.quantity_grams) {
    OpenDispatchedMoreThanOrdered(shipment, said.correlation_id, context, rows);
  }
  // What it left of the quantity was settled, too, when it was first heard of.
  if (accepted_as_known) return;
  const bool less = shipment.dispatched_grams < shipment.quantity_grams;
  SetClosedShort(less && WithinTolerance(shipment, rows), shipment, context);
  if (less && !shipment.closed_short) {
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
    said.actor = Actor::Of(state.dispatch().actor());
    said.occurred_at = *shipment.dispatched_at;
  } else {
    said.actor = Actor::Of(state.correction_actor());
    said.occurred_at = state.has_corrected_at()
                           ? FromProto(state.corrected_at())
                           : ChangedAt(state.stamp(), context);
    said.remarks = state.correction_reason();
  }
  Record(shipment,
         first ? v1::SHIPMENT_EVENT_CAUSE_DISPATCHED
               : v1::SHIPMENT_EVENT_CAUSE_DISPATCH_CORRECTED,
         from, said, context, rows);
  // Whether it was accepted as it is heard of now, only that a restore has the
  // acceptance back sooner.
  const bool accepted_as_known =
      shipment.accepted && shipment.recovered &&
      (first || (rows.link.recovering() &&
                 !(shipment.corrected_at > shipment.accepted_at)));
  SettleDispatch(accepted_as_known, said, shipment, context, rows);
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
  if (found != nullptr &&
      !rows.link.IsNewer(state.stamp(), found->progress_epoch,
                         found->progress_version) &&
      !Planted("older-progress-taken")) {
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
  const bool says_dispatch = SaysDispatch(state, shipment);
  const Actor corrector = Actor::Of(state.correction_actor());
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
  } else {
    CopyReadiness(state, shipment);
  }
  if (says_dispatch) {
    TakeDispatch(state, cause, shipment, context, rows);
  } else {
    CopyDispatch(state, shipment);
  }
  shipment.Heard(context.now());
  return sync::Applied();
}

// A dispatch may split the shipment: that takes the next code of its request.
void TouchShipmentProgress(const ShipmentProgressState& state, Rows& rows) {
  const auto key = db::ShipmentKey::Of(state.key());
  rows.shipments.Want(key);
  WantExceptions(key, rows);
  if (state.has_dispatch()) rows.requests.Want(key.request_code);
}

const handlers::Hearing<Rows, ShipmentProgressState> kShipmentProgressHearing{
    .kind = sync::kShipmentProgress,
    .key = [](const auto& state) { return KeyText(state.key()); },
    .touch = TouchShipmentProgress,
    .apply = ApplyShipmentProgress,
    .kept =
        [](const auto& state, const Rows& rows) {
          const Shipment* copy =
              rows.shipments.Find(db::ShipmentKey::Of(state.key()));
          return copy == nullptr
                     ? std::nullopt
                     : std::optional(sync::KeptStamp{
                           copy->progress_epoch, copy->progress_version,
                           copy->progress_changed_at});
        }};

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
  if (found != nullptr &&
      !rows.link.IsNewer(state.stamp(), found->progress_epoch,
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
  rows.exceptions_of.Want(
      sync::ThingText("schedule", std::to_string(state.schedule_code())));
}

const handlers::Hearing<Rows, ScheduleProgressState> kScheduleProgressHearing{
    .kind = sync::kScheduleProgress,
    .key =
        [](const auto& state) { return std::to_string(state.schedule_code()); },
    .touch = TouchScheduleProgress,
    .apply = ApplyScheduleProgress,
    .kept =
        [](const auto& state, const Rows& rows) {
          const Schedule* copy = rows.schedules.Find(state.schedule_code());
          return copy == nullptr
                     ? std::nullopt
                     : std::optional(sync::KeptStamp{
                           copy->progress_epoch, copy->progress_version,
                           copy->progress_changed_at});
        }};

// --- both

void TouchApplyShipmentProgress(
    const sync::v1::ApplyShipmentProgressRequest& request, Rows& rows) {
  handlers::TouchStates(kShipmentProgressHearing, request, rows);
}

void TouchApplyScheduleProgress(
    const sync::v1::ApplyScheduleProgressRequest& request, Rows& rows) {
  handlers::TouchStates(kScheduleProgressHearing, request, rows);
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
  commands.AddHearing("mtp.sync.v1.OrderSyncService/ApplyShipmentProgress",
                      TouchApplyShipmentProgress, DecideApplyShipmentProgress);
  commands.AddHearing("mtp.sync.v1.OrderSyncService/ApplyScheduleProgress",
                      TouchApplyScheduleProgress, DecideApplyScheduleProgress);
}

std::vector<handlers::EncodedHearing<Rows>> Hearings() {
  return {
      handlers::Encoded(kShipmentProgressHearing),
      handlers::Encoded(kScheduleProgressHearing),
      handlers::Encoded(seals::SealHearing<Rows>(common::v1::SIDE_PROCESSING))};
}

}  // namespace mtp::order
