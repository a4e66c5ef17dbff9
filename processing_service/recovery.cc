#include "processing_service/recovery.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/test_points.h"
#include "common/base/weights.h"
#include "common/handlers/exceptions.h"
#include "common/sync/outbox.h"
#include "processing_service/giving_back.h"
#include "processing_service/manifest.h"
#include "processing_service/outbound.h"
#include "processing_service/sync.h"

namespace mtp::processing {
namespace {

using handlers::Actor;
using sync::v1::ScheduleProgressState;
using sync::v1::ShipmentProgressState;
using sync::v1::State;

void OpenLost(const std::string& thing,
              std::vector<std::pair<std::string, int64_t>> amounts,
              std::string description, Context& context, Rows& rows) {
  handlers::OpenOnce({.kind = ops::v1::EXCEPTION_KIND_LOST_IN_RESTORE,
                      .things = {thing},
                      .amounts = std::move(amounts),
                      .description = std::move(description),
                      .must_act = options::v1::ROLE_SEEDUWA_OFFICER,
                      .acting_side = common::v1::SIDE_PROCESSING,
                      .correlation_id = context.correlation_id()},
                     context, rows.exceptions);
}

// The content of our own word, to see whether Grandpass has it.
bool SaysTheSame(const Shipment& shipment, const ShipmentProgressState& state) {
  ShipmentProgressState own = shipment.Progress();
  ShipmentProgressState known = state;
  own.clear_stamp();
  known.clear_stamp();
  return own.SerializeAsString() == known.SerializeAsString();
}

void TakeCorrection(const ShipmentProgressState& state, Shipment& shipment) {
  const Actor corrector = Actor::Of(state.correction_actor());
  shipment.correction_reason = state.correction_reason();
  shipment.corrected_by = corrector.subject;
  shipment.corrected_by_username = corrector.username;
  shipment.corrected_by_role = corrector.role;
  shipment.corrected_at =
      handlers::TimeOf(state.has_corrected_at(), state.corrected_at());
}

// Whether it is the same truckload, however its dispatch was corrected since.
bool SameLoad(const ShipmentProgressState::Dispatch& dispatch,
              const Shipment& shipment) {
  return shipment.dispatched &&
         shipment.dispatched_at == FromProto(dispatch.dispatched_at()) &&
         shipment.dispatched_grams == dispatch.dispatched_grams() &&
         (shipment.manifest_digest.has_value()
              ? shipment.manifest_digest->value
              : "") == dispatch.manifest_digest();
}

void TakeDispatch(const ShipmentProgressState& state, Shipment& shipment,
                  Context& context, Rows& rows) {
  const ShipmentProgressState::Dispatch& dispatch = state.dispatch();
  // One that was taken back, and went again.
  if (shipment.dispatched && !SameLoad(dispatch, shipment))
    TakeBackDispatch(shipment);
  TakeCorrection(state, shipment);
  const Actor readier = Actor::Of(state.readiness_actor());
  shipment.readiness = state.readiness();
  shipment.readiness_remarks = state.order_remarks();
  shipment.readiness_by = readier.subject;
  shipment.readiness_by_username = readier.username;
  shipment.readiness_by_role = readier.role;
  shipment.readiness_at =
      handlers::TimeOf(state.has_readiness_at(), state.readiness_at());
  // More than had left was given to it since: that goes back to the bags.
  if (shipment.allocated_grams > dispatch.dispatched_grams()) {
    const int64_t surplus =
        std::min(shipment.allocated_grams - dispatch.dispatched_grams(),
                 GivableGrams(shipment, rows));
    if (surplus > 0)
      GiveBack(shipment, surplus, context.correlation_id(), context, rows);
  }
  const std::vector<const Allocation*> known =
      ActiveAllocations(rows, shipment.key());
  const Actor dispatcher = Actor::Of(dispatch.actor());
  shipment.dispatched = true;
  shipment.vehicle = dispatch.shipment_vehicle();
  shipment.dispatched_at = FromProto(dispatch.dispatched_at());
  shipment.dispatch_recorded_at = context.now();
  shipment.dispatched_by = dispatcher.subject;
  shipment.dispatched_by_username = dispatcher.username;
  shipment.dispatched_by_role = dispatcher.role;
  shipment.dispatched_grams = dispatch.dispatched_grams();
  shipment.dispatched_bags = dispatch.bag_count();
  shipment.manifest_digest.reset();
  if (!dispatch.manifest_digest().empty())
    shipment.manifest_digest = db::Bytes{dispatch.manifest_digest()};
  const int64_t lost = dispatch.dispatched_grams() - shipment.allocated_grams;
  const bool other_bags = ManifestDigest(known) != dispatch.manifest_digest();
  if (lost > 0) {
    shipment.recovered_grams += lost;
    shipment.allocated_grams += lost;
  } else if (BagCount(known) != dispatch.bag_count()) {
    shipment.dispatched_bags = BagCount(known);
  }
  if (lost > 0 || other_bags) {
    OpenLost(
        sync::ThingText("shipment", shipment.key().Text()),
        {{"dispatched", dispatch.dispatched_grams()},
         {"lost", std::max<int64_t>(lost, 0)}},
        absl::StrCat(
            "Shipment ", shipment.key().Text(), " left with ", shipment.vehicle,
            " and ", Kilograms(dispatch.dispatched_grams()), " in ",
            dispatch.bag_count(),
            " bags, but the database was restored to a moment before: "
            "which bags ",
            lost > 0 ? absl::StrCat(Kilograms(lost), " of it came from")
                     : std::string("they were"),
            " is not known any more. Take the manifest from the dispatch "
            "note, and write off what is not in the store."),
        context, rows);
  }
  SettleBags({&shipment}, context, rows);
  OpenDispatchedAfterCancellation(shipment, context.correlation_id(), context,
                                  rows);
  OpenDispatchedMoreThanOrdered(shipment, context.correlation_id(), context,
                                rows);
}

// Whether what we say now became so behind what the peer knows: news that it
// was not told yet, or work since the restore.
template <typename Thing>
bool SaidLater(const Thing& thing, const sync::v1::Stamp& known) {
  return thing.version > known.version() &&
         thing.changed_at > FromProto(known.changed_at()) &&
         !Planted("untold-taken-for-lost");
}

// What says the same under the version that the peer knows became so when the
// peer says.
template <typename Thing>
void KnownAs(const sync::v1::Stamp& known, Thing& thing) {
  if (thing.version == known.version())
    thing.changed_at = FromProto(known.changed_at());
}

// What we say of a thing, and what the peer knows: which of it is later, and
// whether the restore lost what the peer knows.
struct Known {
  bool said_later = false;  // ours
  bool lost = false;        // the peer's
  absl::Time restored_to;

  template <typename Thing>
  static Known Of(const Thing& thing, const sync::v1::Stamp& stamp,
                  absl::Time restored_to) {
    const bool said_later = SaidLater(thing, stamp);
    return {.said_later = said_later,
            .lost = !said_later || FromProto(stamp.changed_at()) > restored_to,
            .restored_to = restored_to};
  }
  // Whether that was done by somebody who did not know what was lost.
  bool Since(const std::optional<absl::Time>& at) const {
    return at.has_value() && *at > restored_to;
  }
};

bool SameDispatch(const ShipmentProgressState& state,
                  const Shipment& shipment) {
  const bool same_correction =
      state.has_corrected_at()
          ? shipment.corrected_at == FromProto(state.corrected_at())
          : !shipment.corrected_at.has_value();
  return same_correction && SameLoad(state.dispatch(), shipment) &&
         shipment.vehicle == state.dispatch().shipment_vehicle();
}

// Whether the dispatch that the peer knows was lost here: there is none, or
// only an earlier one, and nobody has taken it back since.
bool LostDispatch(const ShipmentProgressState& state, const Shipment& shipment,
                  const Known& known) {
  if (!state.has_dispatch()) return false;
  if (shipment.dispatched) return known.lost && !SameDispatch(state, shipment);
  const bool taken_back_since =
      known.said_later && shipment.corrected_at.has_value() &&
      (!known.lost || known.Since(shipment.corrected_at));
  return !taken_back_since;
}

// The same for its having been taken back; what has left once more since is
// gone.
bool LostTakingBack(const ShipmentProgressState& state,
                    const Shipment& shipment, const Known& known) {
  return !state.has_dispatch() && state.has_corrected_at() &&
         shipment.dispatched && known.lost &&
         !known.Since(shipment.dispatch_recorded_at);
}

// Whether somebody who did not know of the peer's dispatch has dispatched the
// shipment again, or corrected an earlier dispatch of it.
bool Contradicts(const ShipmentProgressState& state, const Shipment& shipment,
                 const Known& known) {
  if (!known.lost || !shipment.dispatched) return false;
  if (!state.has_dispatch()) {
    return state.has_corrected_at() &&
           known.Since(shipment.dispatch_recorded_at);
  }
  return !SameDispatch(state, shipment) &&
         (known.Since(shipment.dispatch_recorded_at) ||
          known.Since(shipment.corrected_at));
}

// Grandpass learns it as a correction of what it knows.
void KeepContradicted(const ShipmentProgressState& state, Shipment& shipment,
                      Context& context, Rows& rows) {
  const std::string known =
      !state.has_dispatch()
          ? std::string("had its dispatch taken back")
          : absl::StrCat("left with ", state.dispatch().shipment_vehicle(),
                         " and ",
                         Kilograms(state.dispatch().dispatched_grams()));
  handlers::OpenOnce(
      {.kind = ops::v1::EXCEPTION_KIND_CONTRADICTED_BY_RESTORE,
       .things = {sync::ThingText("shipment", shipment.key().Text())},
       .amounts = {{"dispatched", shipment.dispatched_grams},
                   {"known", state.dispatch().dispatched_grams()}},
       .description = absl::StrCat(
           "Shipment ", shipment.key().Text(), " ", known,
           " before the database was restored, and since then it is said to "
           "have left with ",
           shipment.vehicle, " and ", Kilograms(shipment.dispatched_grams),
           ". Find out which bags are gone; correct the dispatch, or write off "
           "what is not in the store."),
       .must_act = options::v1::ROLE_SEEDUWA_OFFICER,
       .acting_side = common::v1::SIDE_PROCESSING,
       .correlation_id = context.correlation_id()},
      context, rows.exceptions);
  shipment.correction_reason = "said again after the database was restored";
  shipment.corrected_by = context.caller().subject;
  shipment.corrected_by_username.clear();
  shipment.corrected_by_role = options::v1::ROLE_UNSPECIFIED;
  shipment.corrected_at = context.now();
}

bool Take(const ShipmentProgressState& state, absl::Time restored_to,
          Context& context, Rows& rows) {
  const auto key = db::ShipmentKey::Of(state.key());
  const Shipment* found = rows.shipments.Find(key);
  if (found == nullptr) return false;
  Shipment& shipment = rows.shipments.Edit(*found);
  const Known known = Known::Of(shipment, state.stamp(), restored_to);
  bool taken = false;
  const bool contradicts = Contradicts(state, shipment, known);
  if (contradicts) {
    KeepContradicted(state, shipment, context, rows);
  } else if (LostDispatch(state, shipment, known)) {
    TakeDispatch(state, shipment, context, rows);
    taken = true;
  } else if (LostTakingBack(state, shipment, known)) {
    TakeCorrection(state, shipment);
    TakeBackDispatch(shipment);
    SettleBags({&shipment}, context, rows);
    // Cut or cancelled while it counted as gone.
    const int64_t too_much =
        std::min(shipment.allocated_grams - shipment.WantedGrams(),
                 GivableGrams(shipment, rows));
    if (too_much > 0 && !Planted("recovered-keeps-allocations"))
      GiveBack(shipment, too_much, context.correlation_id(), context, rows);
    taken = true;
  }
  // What else Grandpass heard of was undone by the restore: the present state
  // is told again, as a later one.
  shipment.version = std::max(shipment.version, state.stamp().version());
  shipment.status = shipment.StatusFromFacts();
  if (taken || contradicts) {
    context.Audit("shipment", key.Text(), "recovered",
                  {{"version", shipment.version},
                   {"dispatched", shipment.dispatched},
                   {"contradicted", contradicts},
                   {"recovered_grams", shipment.recovered_grams}});
  }
  if (SaysTheSame(shipment, state)) {
    KnownAs(state.stamp(), shipment);
    return true;
  }
  if (!taken && !shipment.dispatched && known.lost &&
      state.allocated_grams() > shipment.allocated_grams) {
    OpenLost(sync::ThingText("shipment", key.Text()),
             {{"allocated", state.allocated_grams()},
              {"known", shipment.allocated_grams}},
             absl::StrCat(
                 "Shipment ", key.Text(), " had ",
                 Kilograms(state.allocated_grams()),
                 " allocated, of which the restored database knows ",
                 Kilograms(shipment.allocated_grams),
                 ". Scan the bags that stand ready and allocate them again."),
             context, rows);
  }
  shipment.Changed(context.now());
  context.Tell(sync::kShipmentProgress, key.Text(), shipment.version);
  return true;
}

bool Take(const ScheduleProgressState& state, absl::Time restored_to,
          Context& context, Rows& rows) {
  const Schedule* found = rows.schedules.Find(state.schedule_code());
  if (found == nullptr) return false;
  const std::string key = absl::StrCat(state.schedule_code());
  Schedule& schedule = rows.schedules.Edit(*found);
  const Known known = Known::Of(schedule, state.stamp(), restored_to);
  schedule.version = std::max(schedule.version, state.stamp().version());
  if (schedule.parcel_count == state.parcel_count() &&
      schedule.parcel_grams == state.parcel_grams()) {
    KnownAs(state.stamp(), schedule);
    return true;
  }
  if (known.lost && state.parcel_grams() > schedule.parcel_grams) {
    OpenLost(
        sync::ThingText("schedule", key),
        {{"parcelled", state.parcel_grams()}, {"known", schedule.parcel_grams}},
        absl::StrCat("For schedule ", key, " ", Kilograms(state.parcel_grams()),
                     " were parcelled, of which the restored database "
                     "knows ",
                     Kilograms(schedule.parcel_grams),
                     ". Record the parcels again."),
        context, rows);
  }
  schedule.Changed(context.now());
  context.Tell(sync::kScheduleProgress, key, schedule.version);
  return true;
}

void Touch(const State& state, Rows& rows) {
  if (state.has_shipment_progress()) {
    const common::v1::ShipmentKey& key = state.shipment_progress().key();
    WantShipped(key, rows);
    rows.exceptions_of.Want(sync::ThingText("shipment", KeyText(key)));
  } else if (state.has_schedule_progress()) {
    const int64_t code = state.schedule_progress().schedule_code();
    rows.schedules.Want(code);
    rows.exceptions_of.Want(sync::ThingText("schedule", absl::StrCat(code)));
  }
}

bool TakeState(const State& state, absl::Time restored_to, Context& context,
               Rows& rows) {
  CrashPoint("recover.state_taken");
  if (state.has_shipment_progress())
    return Take(state.shipment_progress(), restored_to, context, rows);
  if (state.has_schedule_progress())
    return Take(state.schedule_progress(), restored_to, context, rows);
  return true;
}

}  // namespace

reconciliation::Recovering<Rows> Recovering() {
  // A dispatch is known before what Grandpass said of it; of what was lost
  // itself Grandpass tells first.
  using Whose = reconciliation::Recovering<Rows>::Whose;
  return {.hearings = Hearings(),
          .passes = {Whose::kOwn, Whose::kPeers, Whose::kOwn},
          .touch = Touch,
          .take = TakeState};
}

}  // namespace mtp::processing
