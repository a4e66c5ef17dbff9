#include "processing_service/sync.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/protos.h"
#include "common/base/test_points.h"
#include "common/base/weights.h"
#include "common/handlers/cause.h"
#include "common/handlers/exceptions.h"
#include "common/handlers/hearing.h"
#include "common/sync/outbox.h"
#include "processing_service/giving_back.h"
#include "processing_service/revocations.h"

namespace mtp::processing {
namespace {

using handlers::Actor;
using handlers::Invalid;
using handlers::JudgeForm;
using handlers::TimeOf;
using sync::v1::ScheduleState;
using sync::v1::ShipmentState;
using sync::v1::Verdict;

// --- shipments

int64_t WantedGrams(const ShipmentState& state) {
  return state.has_cancelled() ? 0 : state.quantity_grams();
}

std::optional<Verdict> Judge(const ShipmentState& state, absl::Time now) {
  if (!state.has_key()) return Invalid("key is missing");
  if (auto verdict = JudgeForm(state, now); verdict.has_value()) return verdict;
  if (state.order_code().empty()) return Invalid("order_code is empty");
  if (state.quantity_grams() < 1)
    return Invalid("quantity_grams must be at least 1");
  for (const auto* barcodes : {&state.accepted().missing_barcodes(),
                               &state.accepted().damaged_barcodes(),
                               &state.accepted().sent_back_barcodes()}) {
    for (const std::string& barcode : *barcodes) {
      if (!Uuid::Parse(barcode).has_value()) {
        return Invalid(absl::StrCat(barcode, " is no barcode"));
      }
    }
  }
  return std::nullopt;
}

void Copy(const ShipmentState& state, Shipment& shipment, absl::Time now) {
  shipment.order_code = state.order_code();
  shipment.product_name = state.product_name();
  shipment.item_code = state.item_code();
  shipment.quantity_grams = state.quantity_grams();
  shipment.special = state.special();
  shipment.approved = state.approved();
  shipment.cancelled = state.has_cancelled();
  shipment.accepted = state.has_accepted();
  shipment.accepted_at = TimeOf(state.accepted().has_occurred_at(),
                                state.accepted().occurred_at());
  shipment.created_at = TimeOf(state.has_created_at(), state.created_at());
  shipment.order_epoch = state.stamp().epoch();
  shipment.order_version = state.stamp().version();
  shipment.order_changed_at =
      TimeOf(state.stamp().has_changed_at(), state.stamp().changed_at());
  shipment.heard_at = now;
  shipment.peer_heard_at = now;
  shipment.status = shipment.StatusFromFacts();
}

ShipmentWord WordOf(const ShipmentState& state) {
  const Actor canceller = Actor::Of(state.cancelled().actor());
  const Actor acceptor = Actor::Of(state.accepted().actor());
  ShipmentWord word{
      .request_code = state.key().request_code(),
      .shipment_code = state.key().shipment_code(),
      .split_from_shipment_code = state.split_from_shipment_code(),
      .closed_short = state.closed_short(),
      .cancel_remarks = state.cancelled().order_remarks(),
      .cancelled_by = canceller.subject,
      .cancelled_by_username = canceller.username,
      .cancelled_by_role = canceller.role,
      .cancelled_at = TimeOf(state.cancelled().has_occurred_at(),
                             state.cancelled().occurred_at()),
      .accept_remarks = state.accepted().shipment_remarks(),
      .accepted_by = acceptor.subject,
      .accepted_by_username = acceptor.username,
      .accepted_by_role = acceptor.role,
      .missing = absl::StrJoin(state.accepted().missing_barcodes(), ","),
      .damaged = absl::StrJoin(state.accepted().damaged_barcodes(), ","),
      .sent_back = absl::StrJoin(state.accepted().sent_back_barcodes(), ",")};
  if (state.accepted().has_received_grams()) {
    word.received_grams = state.accepted().received_grams();
  }
  return word;
}

void Open(ops::v1::ExceptionKind kind, const Shipment& shipment,
          std::vector<std::string> more_things,
          std::vector<std::pair<std::string, int64_t>> amounts,
          std::string description, options::v1::Role must_act,
          common::v1::Side side, const std::string& correlation_id,
          Context& context, Rows& rows) {
  std::vector<std::string> things = {
      sync::ThingText("shipment", shipment.key().Text())};
  std::move(more_things.begin(), more_things.end(), std::back_inserter(things));
  handlers::OpenOnce({.kind = kind,
                      .things = std::move(things),
                      .amounts = std::move(amounts),
                      .description = std::move(description),
                      .must_act = must_act,
                      .acting_side = side,
                      .correlation_id = correlation_id},
                     context, rows.exceptions);
}

void OpenForGrandpass(ops::v1::ExceptionKind kind, const Shipment& shipment,
                      std::string description,
                      const std::string& correlation_id, Context& context,
                      Rows& rows) {
  Open(kind, shipment, {},
       {{"ordered", shipment.quantity_grams},
        {"dispatched", shipment.dispatched_grams}},
       std::move(description), options::v1::ROLE_GRANDPASS_OFFICER,
       common::v1::SIDE_ORDER, correlation_id, context, rows);
}

// Bags that Grandpass sends back although they were no part of the shipment.
std::vector<std::string> UnknownSentBack(const ShipmentState& state,
                                         const Rows& rows) {
  absl::flat_hash_set<Uuid> shipped;
  for (const Allocation* allocation :
       ActiveAllocations(rows, db::ShipmentKey::Of(state.key()))) {
    shipped.insert(allocation->barcode);
  }
  std::vector<std::string> unknown;
  for (const std::string& barcode : state.accepted().sent_back_barcodes()) {
    if (!shipped.contains(*Uuid::Parse(barcode))) {
      unknown.push_back(sync::ThingText("bag", barcode));
    }
  }
  return unknown;
}

// What is new in the state and does not fit what was done here: a person must
// settle it, for the owner's word stands and so does a truck that has left.
void OpenExceptions(const ShipmentState& state, const Shipment& before,
                    const Shipment& now, const std::string& correlation_id,
                    Context& context, Rows& rows) {
  const std::string name = now.key().Text();
  if (!before.cancelled)
    OpenDispatchedAfterCancellation(now, correlation_id, context, rows);
  if (now.quantity_grams < before.quantity_grams)
    OpenDispatchedMoreThanOrdered(now, correlation_id, context, rows);
  // Taken back meanwhile.
  if (now.accepted && !before.accepted && !now.dispatched &&
      now.corrected_at.has_value()) {
    Open(ops::v1::EXCEPTION_KIND_DISPATCH_CORRECTED_AFTER_ACCEPTANCE, now, {},
         {{"allocated", now.allocated_grams}},
         absl::StrCat(
             "Shipment ", name,
             " was accepted, but here it has not left. Find out where its "
             "bags are."),
         options::v1::ROLE_SEEDUWA_OFFICER, common::v1::SIDE_PROCESSING,
         correlation_id, context, rows);
  }
  // Where the bags are not known any more, those sent back are not, either.
  if (now.accepted && !before.accepted && now.recovered_grams == 0 &&
      !state.accepted().sent_back_barcodes().empty()) {
    std::vector<std::string> unknown = UnknownSentBack(state, rows);
    if (unknown.empty()) return;
    Open(ops::v1::EXCEPTION_KIND_SENT_BACK_UNKNOWN, now, std::move(unknown), {},
         absl::StrCat("Bags are said to be sent back from shipment ", name,
                      " that were not in it. Find out which bags come back."),
         options::v1::ROLE_GRANDPASS_GATEPASS, common::v1::SIDE_ORDER,
         correlation_id, context, rows);
  }
}

Verdict ApplyShipment(const ShipmentState& state, Context& context,
                      Rows& rows) {
  const auto key = db::ShipmentKey::Of(state.key());
  const Shipment* found = rows.shipments.Find(key);
  if (found != nullptr &&
      !rows.link.IsNewer(state.stamp(), found->order_epoch,
                         found->order_version) &&
      !Planted("older-shipment-taken")) {
    return sync::Stale();
  }
  if (auto verdict = Judge(state, context.now()); verdict.has_value())
    return *verdict;

  // What has left, has left: it is not given back.
  int64_t too_much = 0;
  if (found != nullptr && !found->dispatched) {
    too_much =
        std::max<int64_t>(0, found->allocated_grams - WantedGrams(state));
    if (too_much > 0 && GivableGrams(*found, rows) < too_much) {
      return Invalid("more is in parcels of the shipment than is wanted of it");
    }
  }
  const handlers::Cause cause(state.stamp(), context);
  std::optional<Shipment> before;
  if (found == nullptr) {
    found = &rows.shipments.Insert({.request_code = key.request_code,
                                    .shipment_code = key.shipment_code,
                                    .quantity_grams = state.quantity_grams(),
                                    .changed_at = context.now()});
  } else {
    before = *found;
  }
  Shipment& shipment = rows.shipments.Edit(*found);
  Copy(state, shipment, context.now());
  rows.shipment_words.Append(WordOf(state));
  context.Audit("shipment", key.Text(), "heard",
                {{"order_epoch", shipment.order_epoch},
                 {"order_version", shipment.order_version},
                 {"quantity_grams", shipment.quantity_grams},
                 {"cancelled", shipment.cancelled},
                 {"accepted", shipment.accepted}});
  if (too_much > 0 && !Planted("allocations-not-given-back"))
    GiveBack(shipment, too_much, cause.correlation_id(), context, rows);
  // Of one that is new here nothing was done yet.
  if (before.has_value()) {
    OpenExceptions(state, *before, shipment, cause.correlation_id(), context,
                   rows);
  }
  return sync::Applied();
}

void TouchShipment(const ShipmentState& state, Rows& rows) {
  const auto key = db::ShipmentKey::Of(state.key());
  rows.shipments.Want(key);
  rows.exceptions_of.Want(sync::ThingText("shipment", key.Text()));
  const ShipmentCut cut{key.request_code, key.shipment_code,
                        WantedGrams(state)};
  rows.cut_bags.Want(cut);
  rows.cut_allocations.Want(cut);
  if (!state.accepted().sent_back_barcodes().empty()) {
    rows.shipment_allocations.Want(key);
  }
}

const handlers::Hearing<Rows, ShipmentState> kShipmentHearing{
    .kind = sync::kShipment,
    .key = [](const auto& state) { return KeyText(state.key()); },
    .touch = TouchShipment,
    .apply = ApplyShipment,
    .kept =
        [](const auto& state, const Rows& rows) {
          const Shipment* copy =
              rows.shipments.Find(db::ShipmentKey::Of(state.key()));
          return copy == nullptr ? std::nullopt
                                 : std::optional(sync::KeptStamp{
                                       copy->order_epoch, copy->order_version,
                                       copy->order_changed_at});
        }};

// --- schedules

std::optional<Verdict> Judge(const ScheduleState& state, absl::Time now) {
  if (auto verdict = JudgeForm(state, now); verdict.has_value()) return verdict;
  if (state.schedule_code() < 1)
    return Invalid("schedule_code must be at least 1");
  if (!state.has_date() || !FromProto(state.date()).has_value()) {
    return Invalid("date is no day");
  }
  if (state.order_code().empty()) return Invalid("order_code is empty");
  if (state.shift() == common::v1::SHIFT_UNSPECIFIED)
    return Invalid("shift is missing");
  if (state.quantity_grams() < 1)
    return Invalid("quantity_grams must be at least 1");
  return std::nullopt;
}

void Copy(const ScheduleState& state, Schedule& schedule, absl::Time now) {
  const Actor completer = Actor::Of(state.completed_by());
  schedule.schedule_date = *FromProto(state.date());
  schedule.order_code = state.order_code();
  schedule.shift = state.shift();
  schedule.section = state.section();
  schedule.quantity_grams = state.quantity_grams();
  schedule.completed = state.completed();
  schedule.completed_by = completer.subject;
  schedule.completed_by_username = completer.username;
  schedule.completed_by_role = completer.role;
  schedule.completed_at =
      TimeOf(state.has_completed_at(), state.completed_at());
  schedule.order_epoch = state.stamp().epoch();
  schedule.order_version = state.stamp().version();
  schedule.order_changed_at =
      TimeOf(state.stamp().has_changed_at(), state.stamp().changed_at());
  schedule.heard_at = now;
}

Verdict ApplySchedule(const ScheduleState& state, Context& context,
                      Rows& rows) {
  const Schedule* found = rows.schedules.Find(state.schedule_code());
  if (found != nullptr && !rows.link.IsNewer(state.stamp(), found->order_epoch,
                                             found->order_version)) {
    return sync::Stale();
  }
  if (auto verdict = Judge(state, context.now()); verdict.has_value())
    return *verdict;

  const handlers::Cause cause(state.stamp(), context);
  if (found == nullptr) {
    found = &rows.schedules.Insert(
        {.schedule_code = state.schedule_code(), .changed_at = context.now()});
  }
  Schedule& schedule = rows.schedules.Edit(*found);
  Copy(state, schedule, context.now());
  context.Audit("schedule", absl::StrCat(schedule.schedule_code), "heard",
                {{"order_epoch", schedule.order_epoch},
                 {"order_version", schedule.order_version},
                 {"completed", schedule.completed}});
  return sync::Applied();
}

void TouchSchedule(const ScheduleState& state, Rows& rows) {
  rows.schedules.Want(state.schedule_code());
}

const handlers::Hearing<Rows, ScheduleState> kScheduleHearing{
    .kind = sync::kSchedule,
    .key =
        [](const auto& state) { return absl::StrCat(state.schedule_code()); },
    .touch = TouchSchedule,
    .apply = ApplySchedule,
    .kept =
        [](const auto& state, const Rows& rows) {
          const Schedule* copy = rows.schedules.Find(state.schedule_code());
          return copy == nullptr ? std::nullopt
                                 : std::optional(sync::KeptStamp{
                                       copy->order_epoch, copy->order_version,
                                       copy->order_changed_at});
        }};

// --- both

void TouchApplyShipments(const sync::v1::ApplyShipmentsRequest& request,
                         Rows& rows) {
  handlers::TouchStates(kShipmentHearing, request, rows);
}

void TouchApplySchedules(const sync::v1::ApplySchedulesRequest& request,
                         Rows& rows) {
  handlers::TouchStates(kScheduleHearing, request, rows);
}

}  // namespace

void OpenDispatchedAfterCancellation(const Shipment& shipment,
                                     const std::string& correlation_id,
                                     Context& context, Rows& rows) {
  if (!shipment.dispatched || !shipment.cancelled) return;
  OpenForGrandpass(
      ops::v1::EXCEPTION_KIND_DISPATCHED_AFTER_CANCELLATION, shipment,
      absl::StrCat("Shipment ", shipment.key().Text(),
                   " was cancelled but had left with ", shipment.vehicle,
                   ". Accept it or send it back."),
      correlation_id, context, rows);
}

void OpenDispatchedMoreThanOrdered(const Shipment& shipment,
                                   const std::string& correlation_id,
                                   Context& context, Rows& rows) {
  if (shipment.dispatched_grams <= shipment.quantity_grams) return;
  OpenForGrandpass(
      ops::v1::EXCEPTION_KIND_DISPATCHED_MORE_THAN_ORDERED, shipment,
      absl::StrCat("Shipment ", shipment.key().Text(), " was cut to ",
                   Kilograms(shipment.quantity_grams), " but had left with ",
                   Kilograms(shipment.dispatched_grams),
                   ". Accept it or send the rest back."),
      correlation_id, context, rows);
}

absl::StatusOr<sync::v1::ApplyShipmentsResponse> DecideApplyShipments(
    const sync::v1::ApplyShipmentsRequest& request, Context& context,
    Rows& rows) {
  return handlers::HearStates<sync::v1::ApplyShipmentsResponse>(
      kShipmentHearing, request, context, rows);
}

absl::StatusOr<sync::v1::ApplySchedulesResponse> DecideApplySchedules(
    const sync::v1::ApplySchedulesRequest& request, Context& context,
    Rows& rows) {
  return handlers::HearStates<sync::v1::ApplySchedulesResponse>(
      kScheduleHearing, request, context, rows);
}

void AddSync(Commands& commands, Queries&) {
  commands.AddHearing("mtp.sync.v1.ProcessingSyncService/ApplyShipments",
                      TouchApplyShipments, DecideApplyShipments,
                      /*alone=*/true);
  commands.AddHearing("mtp.sync.v1.ProcessingSyncService/ApplySchedules",
                      TouchApplySchedules, DecideApplySchedules,
                      /*alone=*/true);
}

std::vector<handlers::EncodedHearing<Rows>> Hearings() {
  return {handlers::Encoded(kShipmentHearing),
          handlers::Encoded(kScheduleHearing),
          handlers::Encoded(RevocationHearing()),
          handlers::Encoded(seals::SealHearing<Rows>(common::v1::SIDE_ORDER))};
}

}  // namespace mtp::processing
