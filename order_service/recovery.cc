#include "order_service/recovery.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/protos.h"
#include "common/base/test_points.h"
#include "common/sync/outbox.h"
#include "order_service/exceptions.h"
#include "order_service/revoking.h"
#include "order_service/sync.h"

namespace mtp::order {
namespace {

using handlers::Actor;
using sync::v1::RevocationState;
using sync::v1::ScheduleState;
using sync::v1::ShipmentState;
using sync::v1::State;

// Whether the thing was changed here after the peer's copy became so: since the
// restore, by somebody who did not know what was lost.
bool ChangedSince(absl::Time changed_at, const sync::v1::Stamp& stamp) {
  return changed_at > FromProto(stamp.changed_at());
}

// Whether the peer's copy became so in what the restore lost.
bool Lost(const sync::v1::Stamp& stamp, absl::Time restored_to) {
  return FromProto(stamp.changed_at()) > restored_to;
}

// --- shipments

void Cancel(const ShipmentState& state, Shipment& shipment) {
  const Actor actor = Actor::Of(state.cancelled().actor());
  shipment.cancelled = state.has_cancelled();
  shipment.cancel_remarks = state.cancelled().order_remarks();
  shipment.cancelled_by = actor.subject;
  shipment.cancelled_by_username = actor.username;
  shipment.cancelled_by_role = actor.role;
  shipment.cancelled_at.reset();
  if (state.has_cancelled())
    shipment.cancelled_at = FromProto(state.cancelled().occurred_at());
}

void Accept(const ShipmentState& state, Shipment& shipment, Context& context,
            Rows& rows) {
  const Actor actor = Actor::Of(state.accepted().actor());
  const bool first = !shipment.accepted && state.has_accepted();
  shipment.accepted = state.has_accepted();
  shipment.accept_remarks = state.accepted().shipment_remarks();
  shipment.accepted_by = actor.subject;
  shipment.accepted_by_username = actor.username;
  shipment.accepted_by_role = actor.role;
  shipment.accepted_at.reset();
  shipment.accept_recorded_at.reset();
  shipment.received_grams.reset();
  if (!state.has_accepted()) return;
  shipment.accepted_at = FromProto(state.accepted().occurred_at());
  shipment.accept_recorded_at = context.now();
  if (state.accepted().has_received_grams())
    shipment.received_grams = state.accepted().received_grams();
  if (!first) return;
  const auto keep = [&](const auto& barcodes, const char* kind) {
    for (const std::string& barcode : barcodes) {
      rows.shipment_differences.Append(
          {.request_code = shipment.request_code,
           .shipment_code = shipment.shipment_code,
           .barcode = Uuid::Parse(barcode).value_or(Uuid()),
           .kind = kind,
           .recorded_at = context.now()});
    }
  };
  keep(state.accepted().missing_barcodes(), "MISSING");
  keep(state.accepted().damaged_barcodes(), "DAMAGED");
  keep(state.accepted().sent_back_barcodes(), "SENT_BACK");
}

// Seeduwa is told only of what is approved; who approved it is not known any
// more where that was lost.
void TakeApproval(const ShipmentState& state, Shipment& shipment) {
  if (state.special() && shipment.approval == ApprovalState::kAllowed) return;
  shipment.approval =
      state.special() ? ApprovalState::kAllowed : ApprovalState::kNone;
  shipment.approval_remarks.clear();
  shipment.approval_by.clear();
  shipment.approval_by_username.clear();
  shipment.approval_by_role = options::v1::ROLE_UNSPECIFIED;
  shipment.approval_at.reset();
}

// Whether the end that one has is the end that the other knows.
bool SameEnd(bool ended, const std::optional<absl::Time>& at, bool known,
             const google::protobuf::Timestamp& known_at) {
  return ended == known && (!ended || at == FromProto(known_at));
}

// Whether our word of it is what the peer knows.
bool TheSame(const Shipment& shipment, const ShipmentState& state) {
  return shipment.Told() &&
         SameEnd(shipment.cancelled, shipment.cancelled_at,
                 state.has_cancelled(), state.cancelled().occurred_at()) &&
         SameEnd(shipment.accepted, shipment.accepted_at, state.has_accepted(),
                 state.accepted().occurred_at()) &&
         shipment.order_code == state.order_code() &&
         shipment.product_name == state.product_name() &&
         shipment.item_code == state.item_code() &&
         shipment.quantity_grams == state.quantity_grams() &&
         shipment.split_from_shipment_code ==
             state.split_from_shipment_code() &&
         shipment.special == state.special() &&
         shipment.closed_short == state.closed_short() &&
         shipment.created_at == FromProto(state.created_at());
}

bool TheSame(const Schedule& schedule, const ScheduleState& state) {
  return SameEnd(schedule.completed, schedule.completed_at, state.completed(),
                 state.completed_at()) &&
         schedule.schedule_date == FromProto(state.date()) &&
         schedule.order_code == state.order_code() &&
         schedule.shift == state.shift() &&
         schedule.section == state.section() &&
         schedule.quantity_grams == state.quantity_grams();
}

// All that we had said of it.
void TakeWord(const ShipmentState& state, Shipment& shipment, Context& context,
              Rows& rows) {
  shipment.order_code = state.order_code();
  shipment.product_name = state.product_name();
  shipment.item_code = state.item_code();
  shipment.quantity_grams = state.quantity_grams();
  shipment.split_from_shipment_code = state.split_from_shipment_code();
  shipment.special = state.special();
  TakeApproval(state, shipment);
  shipment.closed_short = state.closed_short();
  Cancel(state, shipment);
  Accept(state, shipment, context, rows);
  shipment.created_at = FromProto(state.created_at());
}

// A step in its life that was lost, as far as the state tells it.
void RecordLost(const ShipmentState& state, const Shipment& shipment,
                std::optional<ShipmentStatus> from, Context& context,
                Rows& rows) {
  v1::ShipmentEventCause cause = v1::SHIPMENT_EVENT_CAUSE_QUANTITY_LOWERED;
  Said said{.actor = {},
            .occurred_at = FromProto(state.stamp().changed_at()),
            .recovered = true};
  if (!from.has_value()) {
    cause = state.split_from_shipment_code() > 0
                ? v1::SHIPMENT_EVENT_CAUSE_SPLIT_OFF
                : v1::SHIPMENT_EVENT_CAUSE_REQUESTED;
  } else if (state.has_accepted()) {
    cause = v1::SHIPMENT_EVENT_CAUSE_ACCEPTED;
    said.actor = Actor::Of(state.accepted().actor());
    said.remarks = state.accepted().shipment_remarks();
  } else if (state.has_cancelled()) {
    cause = v1::SHIPMENT_EVENT_CAUSE_CANCELLED;
    said.actor = Actor::Of(state.cancelled().actor());
    said.remarks = state.cancelled().order_remarks();
  } else if (from == common::v1::SHIPMENT_STATUS_APPROVAL_REQUESTED ||
             from == common::v1::SHIPMENT_STATUS_APPROVAL_DENIED) {
    cause = v1::SHIPMENT_EVENT_CAUSE_APPROVED;
  }
  Record(shipment, cause, from, said, context, rows);
}

void WantRequest(const ShipmentState& state, const Shipment& shipment,
                 Context& context, Rows& rows) {
  if (const OrderRequest* found = rows.requests.Find(shipment.request_code);
      found != nullptr) {
    if (found->next_shipment_code <= shipment.shipment_code) {
      rows.requests.Edit(*found).next_shipment_code =
          shipment.shipment_code + 1;
    }
    return;
  }
  // What its shipments ask together is summed up at the end.
  rows.requests.Insert(
      {.request_code = shipment.request_code,
       .order_code = state.order_code(),
       .planned = rows.plans.Find(state.order_code()) != nullptr,
       .product_name = state.product_name(),
       .item_code = state.item_code(),
       .requirement_grams = state.quantity_grams(),
       .special = state.special(),
       .next_shipment_code = std::max<int64_t>(2, shipment.shipment_code + 1),
       .recovered = true,
       .created_at = FromProto(state.created_at()),
       .occurred_at = FromProto(state.created_at())});
  context.Audit("request", absl::StrCat(shipment.request_code), "recovered",
                {{"order_code", state.order_code()}});
}

void Take(const ShipmentState& state, absl::Time restored_to, Context& context,
          Rows& rows) {
  const auto key = db::ShipmentKey::Of(state.key());
  const Shipment* found = rows.shipments.Find(key);
  if (found == nullptr) {
    Shipment lost{.request_code = key.request_code,
                  .shipment_code = key.shipment_code,
                  .recovered = true,
                  .version = state.stamp().version(),
                  .changed_at = FromProto(state.stamp().changed_at()),
                  .updated_at = context.now()};
    TakeWord(state, lost, context, rows);
    lost.status = lost.StatusFromFacts();
    WantRequest(state, lost, context, rows);
    const Shipment& shipment = rows.shipments.Insert(std::move(lost));
    RecordLost(state, shipment, std::nullopt, context, rows);
    context.Audit("shipment", key.Text(), "recovered",
                  {{"version", shipment.version},
                   {"quantity_grams", shipment.quantity_grams}});
    return;
  }
  const bool changed_since = ChangedSince(found->changed_at, state.stamp());
  const ShipmentStatus from = found->status;
  if (TheSame(*found, state)) {
    // Changed to and fro: only the numbers of its versions were lost, and an
    // etag of theirs must not be given again.
    if (state.stamp().version() <= found->version) return;
    Shipment& shipment = rows.shipments.Edit(*found);
    shipment.version = state.stamp().version();
    shipment.updated_at = context.now();
    if (changed_since) {
      shipment.Changed(context.now());
      Tell(shipment, context);
    } else {
      shipment.changed_at = FromProto(state.stamp().changed_at());
    }
    return;
  }
  if (state.stamp().version() > found->version && !changed_since) {
    Shipment& shipment = rows.shipments.Edit(*found);
    TakeWord(state, shipment, context, rows);
    shipment.recovered = true;
    shipment.version = state.stamp().version();
    shipment.changed_at = FromProto(state.stamp().changed_at());
    shipment.updated_at = context.now();
    shipment.status = shipment.StatusFromFacts();
    RecordLost(state, shipment, from, context, rows);
    context.Audit("shipment", key.Text(), "recovered",
                  {{"version", shipment.version},
                   {"quantity_grams", shipment.quantity_grams}});
    return;
  }
  if (!changed_since) return;  // ours is what was said last
  // Changed on both ways. What cannot be undone stands.
  const bool another = state.order_code() != found->order_code ||
                       FromProto(state.created_at()) != found->created_at;
  const bool lost_approval = !found->Told();
  const bool lost_acceptance = state.has_accepted() && !found->accepted;
  const bool lost_cancellation = state.has_cancelled() && !found->cancelled;
  // Accepted once more by somebody who did not know of the first time.
  const bool accepted_twice =
      state.has_accepted() && found->accepted &&
      FromProto(state.accepted().occurred_at()) != found->accepted_at;
  if (state.stamp().version() < found->version &&
      !Lost(state.stamp(), restored_to) && !another && !lost_approval &&
      !lost_acceptance && !lost_cancellation && !accepted_twice) {
    return;  // ours follows from the same
  }
  Shipment& shipment = rows.shipments.Edit(*found);
  if (lost_approval && !another) TakeApproval(state, shipment);
  if (lost_acceptance && !another) Accept(state, shipment, context, rows);
  if (lost_cancellation && !another) Cancel(state, shipment);
  shipment.recovered = true;
  shipment.version = std::max(shipment.version, state.stamp().version());
  shipment.Changed(context.now());
  if (shipment.status != from) RecordLost(state, shipment, from, context, rows);
  OpenContradicted(shipment, state, another, context, rows);
  context.Audit("shipment", key.Text(), "recovered",
                {{"version", shipment.version}, {"contradicted", true}});
  Tell(shipment, context);
}

// --- schedules

void Take(const ScheduleState& state, absl::Time restored_to, Context& context,
          Rows& rows) {
  const auto take_word = [&](Schedule& schedule) {
    schedule.schedule_date =
        FromProto(state.date()).value_or(schedule.schedule_date);
    schedule.order_code = state.order_code();
    schedule.shift = state.shift();
    schedule.section = state.section();
    schedule.quantity_grams = state.quantity_grams();
    schedule.completed = state.completed();
    const Actor actor = Actor::Of(state.completed_by());
    schedule.completed_by = actor.subject;
    schedule.completed_by_username = actor.username;
    schedule.completed_by_role = actor.role;
    schedule.completed_at.reset();
    if (state.has_completed_at())
      schedule.completed_at = FromProto(state.completed_at());
    schedule.recovered = true;
    schedule.version = state.stamp().version();
    schedule.changed_at = FromProto(state.stamp().changed_at());
  };
  const std::string key = absl::StrCat(state.schedule_code());
  const Schedule* found = rows.schedules.Find(state.schedule_code());
  if (found == nullptr) {
    Schedule lost{.schedule_code = state.schedule_code(),
                  .created_at = FromProto(state.stamp().changed_at())};
    take_word(lost);
    rows.schedules.Insert(std::move(lost));
    context.Audit("schedule", key, "recovered",
                  {{"version", state.stamp().version()}});
    return;
  }
  const bool changed_since = ChangedSince(found->changed_at, state.stamp());
  if (TheSame(*found, state)) {
    if (state.stamp().version() <= found->version) return;
    Schedule& schedule = rows.schedules.Edit(*found);
    schedule.version = state.stamp().version();
    if (changed_since) {
      schedule.Changed(context.now());
      context.Tell(sync::kSchedule, key, schedule.version);
    } else {
      schedule.changed_at = FromProto(state.stamp().changed_at());
    }
    return;
  }
  if (state.stamp().version() > found->version && !changed_since) {
    take_word(rows.schedules.Edit(*found));
    context.Audit("schedule", key, "recovered",
                  {{"version", state.stamp().version()}});
    return;
  }
  if (!changed_since || (state.stamp().version() < found->version &&
                         !Lost(state.stamp(), restored_to) &&
                         !(state.completed() && !found->completed))) {
    return;
  }
  Schedule& schedule = rows.schedules.Edit(*found);
  schedule.recovered = true;
  schedule.version = std::max(schedule.version, state.stamp().version());
  schedule.Changed(context.now());
  OpenContradicted(schedule, state, context, rows);
  context.Audit("schedule", key, "recovered",
                {{"version", schedule.version}, {"contradicted", true}});
  context.Tell(sync::kSchedule, key, schedule.version);
}

// --- revocations

void Take(const RevocationState& state, Context& context, Rows& rows) {
  const auto subject = Uuid::Parse(state.subject());
  if (!subject.has_value()) return;
  const Revocation* found = rows.revocations.Find(*subject);
  const absl::Time before = FromProto(state.refuse_issued_before());
  if (found != nullptr && found->version >= state.stamp().version() &&
      found->revoked_before >= before) {
    return;
  }
  Revocation& revocation = found != nullptr
                               ? rows.revocations.Edit(*found)
                               : rows.revocations.Insert({.subject = *subject});
  const bool ours_is_newer = revocation.version >= state.stamp().version();
  if (!ours_is_newer) revocation.disabled = state.disabled();
  revocation.revoked_before =
      found == nullptr ? before : std::max(revocation.revoked_before, before);
  revocation.version =
      std::max(revocation.version, state.stamp().version()) + 1;
  revocation.changed_at = ChangeAfter(revocation.changed_at, context.now());
  // Who was shut out stays shut out, and sessions that were ended, whose
  // refresh tokens came back with the backup, end again.
  EndSessions(*subject, Uuid(), "USER_CHANGED", context.now(), rows);
  if (const User* user = rows.users.Find(*subject); user != nullptr) {
    revocation.username = user->username;
    if (revocation.disabled && !user->disabled) {
      User& disabled = rows.users.Edit(*user);
      disabled.disabled = true;
      disabled.disabled_at = context.now();
      disabled.Changed(context.now());
    }
    // Enabled since the backup: who has the backup's account is out, until it
    // is enabled again.
    if (user->disabled) revocation.disabled = true;
  }
  context.Audit("user", subject->ToString(), "recovered",
                {{"disabled", revocation.disabled}});
  context.Tell(sync::kRevocation, subject->ToString(), revocation.version);
}

// --- all

void Touch(const State& state, Rows& rows) {
  if (state.has_shipment()) {
    const auto key = db::ShipmentKey::Of(state.shipment().key());
    rows.shipments.Want(key);
    rows.requests.Want(key.request_code);
    rows.plans.Want(state.shipment().order_code());
    WantExceptions(key, rows);
  } else if (state.has_schedule()) {
    rows.schedules.Want(state.schedule().schedule_code());
    rows.exceptions_of.Want(sync::ThingText(
        "schedule", absl::StrCat(state.schedule().schedule_code())));
  } else if (state.has_revocation()) {
    if (const auto subject = Uuid::Parse(state.revocation().subject()))
      TouchUser(*subject, rows);
  }
}

bool TakeState(const State& state, absl::Time restored_to, Context& context,
               Rows& rows) {
  CrashPoint("recover.state_taken");
  if (state.has_shipment()) {
    Take(state.shipment(), restored_to, context, rows);
  } else if (state.has_schedule()) {
    Take(state.schedule(), restored_to, context, rows);
  } else if (state.has_revocation()) {
    Take(state.revocation(), context, rows);
  }
  return true;
}

// An acceptance that was taken back came before the dispatch that it was of;
// now both are known.
void TouchShipmentTakenBack(const std::string& key, Rows& rows) {
  const auto shipment = db::ShipmentKey::FromText(key);
  if (!shipment.has_value()) return;
  rows.shipments.Want(*shipment);
  rows.differences_kept.Want(*shipment);
  WantExceptions(*shipment, rows);
}

void OpenDifferences(const std::string& text, Context& context, Rows& rows) {
  const auto key = db::ShipmentKey::FromText(text);
  const Shipment* shipment =
      key.has_value() ? rows.shipments.Find(*key) : nullptr;
  if (shipment == nullptr || !shipment->accepted || !shipment->dispatched)
    return;
  DifferencesKept bags;
  if (const DifferencesKept* found = rows.differences_kept.Find(*key);
      found != nullptr) {
    bags = *found;
  }
  if (shipment->received_grams.value_or(shipment->dispatched_grams) ==
          shipment->dispatched_grams &&
      bags.missing + bags.damaged + bags.sent_back == 0) {
    return;
  }
  OpenAcceptedWithDifferences(*shipment, bags.missing, bags.damaged,
                              bags.sent_back, context.correlation_id(), context,
                              rows);
}

constexpr db::Statement kJumpRequests{R"(
  SELECT setval('request_code_seq', greatest(last_value, $1::bigint, 1),
                is_called OR $1::bigint >= last_value)
  FROM request_code_seq
)"};
constexpr db::Statement kJumpSchedules{R"(
  SELECT setval('schedule_code_seq', greatest(last_value, $1::bigint, 1),
                is_called OR $1::bigint >= last_value)
  FROM schedule_code_seq
)"};

// In the order in which commands lock them; what is summed up behind these is
// what they all have left.
constexpr db::Statement kLockPlans{
    "SELECT FROM order_plan ORDER BY order_code FOR UPDATE"};
constexpr db::Statement kLockRequests{
    "SELECT FROM order_request ORDER BY request_code FOR UPDATE"};

// What a request asks is what its shipments ask. Where that is less than it
// asked before, a shipment was lost that Seeduwa had not heard of either; not
// so of a request that was itself taken back with the first of its shipments.
// $1: the recovery's correlation id.
constexpr db::Statement kSumUpRequests{R"(
  WITH asked AS (
    SELECT r.request_code, r.requirement_grams,
           coalesce(sum(s.quantity_grams), 0) AS grams,
           EXISTS (SELECT FROM audit.entry AS e
                   WHERE e.correlation_id = $1::text AND e.entity_kind = 'request'
                     AND e.entity_key = r.request_code::text
                     AND e.action = 'recovered') AS taken_back
    FROM order_request AS r LEFT JOIN shipment AS s USING (request_code)
    GROUP BY r.request_code),
  mended AS (
    UPDATE order_request AS r SET requirement_grams = asked.grams, recovered = true
    FROM asked
    WHERE r.request_code = asked.request_code AND asked.grams > 0
      AND r.requirement_grams <> asked.grams
    RETURNING r.request_code, asked.taken_back, asked.requirement_grams AS before,
              asked.grams AS after),
  opened AS (
    INSERT INTO sync.exception (exception_id, kind, things, amounts, description, must_act,
                                acting_side, dedupe_key, correlation_id)
    SELECT gen_random_uuid(), 'LOST_IN_RESTORE', ARRAY['request:' || request_code],
           jsonb_build_object('ordered', before, 'known', after),
           format('Request %s asked %s kg before the database was restored; its shipments that are known since have %s kg. '
                  'Ask again for what is missing, or cancel what is too much.',
                  request_code, trim_scale(before / 1000.0), trim_scale(after / 1000.0)),
           'GRANDPASS_OFFICER', 'ORDER', 'LOST_IN_RESTORE request:' || request_code, $1::text
    FROM mended WHERE NOT taken_back
    ON CONFLICT (dedupe_key) WHERE closed_at IS NULL DO NOTHING
    RETURNING exception_id, kind, things[1] AS thing)
  INSERT INTO audit.entry (caller, method, correlation_id, entity_kind, entity_key, action, change)
  SELECT 'order_service', '/mtp.ops.v1.OperationsService/StartEpoch', $1::text, 'request',
         request_code::text, 'summed_up',
         jsonb_build_object('requirement_grams', after, 'requirement_grams_before', before)
  FROM mended
  UNION ALL
  SELECT 'order_service', '/mtp.ops.v1.OperationsService/StartEpoch', $1::text, 'exception',
         exception_id::text, 'opened', jsonb_build_object('kind', kind, 'thing', thing)
  FROM opened
)"};
constexpr db::Statement kSumUpPlans{R"(
  WITH mended AS (
    UPDATE order_plan AS p
    SET requested_grams = asked.grams,
        excess_grams = greatest(p.excess_grams, asked.grams - p.requirement_grams)
    FROM (
      SELECT o.order_code, o.requested_grams AS before,
             coalesce(sum(s.quantity_grams), 0) AS grams
      FROM order_plan AS o
      LEFT JOIN order_request AS r ON r.plan_order_code = o.order_code AND NOT r.special
      LEFT JOIN shipment AS s ON s.request_code = r.request_code AND NOT s.cancelled
      GROUP BY o.order_code) AS asked
    WHERE p.order_code = asked.order_code AND p.requested_grams <> asked.grams
    RETURNING p.order_code, asked.before, asked.grams AS after)
  INSERT INTO audit.entry (caller, method, correlation_id, entity_kind, entity_key, action, change)
  SELECT 'order_service', '/mtp.ops.v1.OperationsService/StartEpoch', $1::text, 'plan', order_code,
         'summed_up', jsonb_build_object('requested_grams', after, 'requested_grams_before', before)
  FROM mended
)"};

void SumUp(const std::string& correlation_id, db::Exchange& exchange) {
  exchange.Add(kLockPlans);
  exchange.Add(kLockRequests);
  exchange.Add(kSumUpRequests, db::Params().Add(correlation_id));
  exchange.Add(kSumUpPlans, db::Params().Add(correlation_id));
}

}  // namespace

reconciliation::Recovering<Rows> Recovering() {
  using Whose = reconciliation::Recovering<Rows>::Whose;
  std::vector<std::pair<sync::v1::EntityKind, db::Statement>> jump = {
      {sync::v1::ENTITY_KIND_SHIPMENT, kJumpRequests},
      {sync::v1::ENTITY_KIND_SCHEDULE, kJumpSchedules}};
  if (Planted("codes-given-twice")) jump.clear();
  return {.hearings = Hearings(),
          .passes = {Whose::kOwn, Whose::kPeers},
          .touch = Touch,
          .take = TakeState,
          .jump = std::move(jump),
          .finish = SumUp,
          .consequences = {{.entity_kind = "shipment",
                            .touch = TouchShipmentTakenBack,
                            .decide = OpenDifferences}}};
}

}  // namespace mtp::order
