#include "order_service/exceptions.h"

#include "absl/strings/str_cat.h"
#include "common/base/test_points.h"
#include "common/base/weights.h"
#include "common/handlers/exceptions.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::order {
namespace {

std::string ThingOf(const db::ShipmentKey& key) {
  return sync::ThingText("shipment", key.Text());
}

// All are for people of Grandpass: this side found them.
void Open(sync::Exception exception, const std::string& correlation_id,
          Context& context, Rows& rows) {
  exception.acting_side = common::v1::SIDE_ORDER;
  exception.correlation_id = correlation_id;
  if (Planted("exception-not-opened")) return;
  handlers::OpenOnce(std::move(exception), context, rows.exceptions);
}

}  // namespace

void OpenDispatchedAfterCancellation(const Shipment& shipment,
                                     const std::string& correlation_id,
                                     Context& context, Rows& rows) {
  Open({.kind = ops::v1::EXCEPTION_KIND_DISPATCHED_AFTER_CANCELLATION,
        .things = {ThingOf(shipment.key())},
        .amounts = {{"ordered", 0}, {"dispatched", shipment.dispatched_grams}},
        .description = absl::StrCat(
            "Shipment ", shipment.key().Text(), " was cancelled here, but ",
            Kilograms(shipment.dispatched_grams), " of it had left Seeduwa by ",
            shipment.dispatch_vehicle,
            ". Accept it when it arrives, or have the dispatch taken back."),
        .must_act = options::v1::ROLE_GRANDPASS_OFFICER},
       correlation_id, context, rows);
}

void OpenDispatchedMoreThanOrdered(const Shipment& shipment,
                                   const std::string& correlation_id,
                                   Context& context, Rows& rows) {
  Open({.kind = ops::v1::EXCEPTION_KIND_DISPATCHED_MORE_THAN_ORDERED,
        .things = {ThingOf(shipment.key())},
        .amounts = {{"ordered", shipment.quantity_grams},
                    {"dispatched", shipment.dispatched_grams}},
        .description = absl::StrCat(
            "Of shipment ", shipment.key().Text(), " ",
            Kilograms(shipment.quantity_grams), " were ordered, but ",
            Kilograms(shipment.dispatched_grams),
            " left Seeduwa. Lower or cancel another shipment of the request "
            "by the "
            "difference, or have the dispatch corrected."),
        .must_act = options::v1::ROLE_GRANDPASS_OFFICER},
       correlation_id, context, rows);
}

void OpenCorrectedAfterAcceptance(const Shipment& shipment,
                                  const std::string& correlation_id,
                                  Context& context, Rows& rows) {
  Open({.kind = ops::v1::EXCEPTION_KIND_DISPATCH_CORRECTED_AFTER_ACCEPTANCE,
        .things = {ThingOf(shipment.key())},
        .amounts = {{"ordered", shipment.quantity_grams},
                    {"dispatched",
                     shipment.dispatched ? shipment.dispatched_grams : 0},
                    {"received", shipment.received_grams.value_or(0)}},
        .description = absl::StrCat(
            "Seeduwa ", shipment.dispatched ? "changed" : "took back",
            " the dispatch of shipment ", shipment.key().Text(),
            " after it was accepted here. Compare what arrived with Seeduwa's "
            "word."),
        .must_act = options::v1::ROLE_GRANDPASS_OFFICER},
       correlation_id, context, rows);
}

void OpenAcceptedWithDifferences(const Shipment& shipment, int64_t missing_bags,
                                 int64_t damaged_bags, int64_t sent_back_bags,
                                 const std::string& correlation_id,
                                 Context& context, Rows& rows) {
  Open({.kind = ops::v1::EXCEPTION_KIND_ACCEPTED_WITH_DIFFERENCES,
        .things = {ThingOf(shipment.key())},
        .amounts = {{"dispatched", shipment.dispatched_grams},
                    {"received", shipment.received_grams.value_or(
                                     shipment.dispatched_grams)}},
        .description = absl::StrCat(
            "Shipment ", shipment.key().Text(), " did not arrive as it left: ",
            Kilograms(shipment.dispatched_grams), " were dispatched, ",
            Kilograms(
                shipment.received_grams.value_or(shipment.dispatched_grams)),
            " received; bags missing: ", missing_bags,
            ", damaged: ", damaged_bags, ", sent back: ", sent_back_bags,
            ". Settle it with Seeduwa."),
        .must_act = options::v1::ROLE_GRANDPASS_OFFICER},
       correlation_id, context, rows);
}

void OpenParcelsAfterCompletion(const Schedule& schedule, int64_t grams_before,
                                const std::string& correlation_id,
                                Context& context, Rows& rows) {
  Open({.kind = ops::v1::EXCEPTION_KIND_PARCELS_AFTER_COMPLETION,
        .things = {sync::ThingText("schedule", schedule.KeyText())},
        .amounts = {{"before", grams_before},
                    {"parcels", schedule.parcel_grams}},
        .description = absl::StrCat(
            "The parcels of schedule ", schedule.KeyText(),
            " changed after it was completed, from ", Kilograms(grams_before),
            " to ", Kilograms(schedule.parcel_grams),
            ". Reopen it, or have them put right."),
        .must_act = options::v1::ROLE_GRANDPASS_OFFICER},
       correlation_id, context, rows);
}

void OpenContradicted(const Shipment& shipment,
                      const sync::v1::ShipmentState& known, bool another,
                      Context& context, Rows& rows) {
  Open({.kind = ops::v1::EXCEPTION_KIND_CONTRADICTED_BY_RESTORE,
        .things = {ThingOf(shipment.key())},
        .amounts = {{"ordered", shipment.quantity_grams},
                    {"known", known.quantity_grams()}},
        .description =
            another
                ? absl::StrCat("The code of shipment ", shipment.key().Text(),
                               " was given twice: before the database was "
                               "restored for order ",
                               known.order_code(), ", ",
                               Kilograms(known.quantity_grams()),
                               ", and again since. Ask Seeduwa what was made "
                               "ready or left for the first one.")
                : absl::StrCat(
                      "Shipment ", shipment.key().Text(),
                      " was changed before the database was restored and "
                      "differently since. What was accepted or cancelled "
                      "stands; see whether its quantity is right."),
        .must_act = options::v1::ROLE_GRANDPASS_OFFICER},
       context.correlation_id(), context, rows);
}

void OpenContradicted(const Schedule& schedule,
                      const sync::v1::ScheduleState& known, Context& context,
                      Rows& rows) {
  Open({.kind = ops::v1::EXCEPTION_KIND_CONTRADICTED_BY_RESTORE,
        .things = {sync::ThingText("schedule", schedule.KeyText())},
        .amounts = {{"scheduled", schedule.quantity_grams},
                    {"known", known.quantity_grams()}},
        .description = absl::StrCat(
            "Schedule ", schedule.KeyText(),
            " was changed before the database was restored and differently "
            "since; what was said last stands. See whether it is right."),
        .must_act = options::v1::ROLE_GRANDPASS_OFFICER},
       context.correlation_id(), context, rows);
}

void WantExceptions(const db::ShipmentKey& key, Rows& rows) {
  rows.exceptions_of.Want(ThingOf(key));
}

v1::Shipment ShownWithExceptions(const Shipment& shipment, const Rows& rows) {
  v1::Shipment shown = shipment.Shown();
  const std::string thing = ThingOf(shipment.key());
  for (const sync::Exception* open : rows.exceptions.All()) {
    if (!open->IsOpenOf(thing)) continue;
    v1::ShipmentException& exception = *shown.add_open_exceptions();
    exception.set_exception_id(open->exception_id.ToString());
    exception.set_kind(std::string(db::EnumText(open->kind)));
    exception.set_description(open->description);
    exception.set_role(open->must_act);
  }
  return shown;
}

}  // namespace mtp::order
