#include "cli/order_views.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/fields.h"
#include "cli/import_views.h"
#include "cli/table.h"
#include "cli/weights.h"

namespace mtp::cli {
namespace {

using order::v1::Shipment;

// Behind an import of which the part that was asked for is empty.
std::string NothingOfThePart(int64_t fault_count) {
  return absl::StrCat(
      "\nNothing of this part",
      fault_count > 0 ? "; `--part bad-rows` shows what was wrong" : "", ".\n");
}

// Weights that are not there are blank, not 0 kg.
Cell GramsIfAny(int64_t grams) {
  return grams == 0 ? Cell() : Cell::Grams(grams);
}

}  // namespace

std::string PlansText(const Many<order::v1::Plan>& plans) {
  Table table({"ORDER", "BLEND", "PRODUCT", "REQUIRED", "ALLOWED", "FROM", "TO",
               "REQUESTS"});
  for (const auto& plan : plans) {
    table.Row({plan.order_code(), plan.item_code(), plan.product_name(),
               Cell::Grams(plan.requirement_grams()),
               Cell::Grams(plan.allowed_grams()), DateText(plan.plan_start()),
               DateText(plan.plan_end()), plan.request_count()});
  }
  return TextOrNone(table);
}

std::string PlanText(const order::v1::Plan& plan) {
  std::string codes;
  for (const int64_t code : plan.request_codes()) {
    absl::StrAppend(&codes, codes.empty() ? "" : " ", code);
  }
  Table table;
  table.Row({"order", plan.order_code()})
      .Row({"blend", plan.item_code()})
      .Row({"product", plan.product_name()})
      .Row({"required", Cell::Grams(plan.requirement_grams())})
      .Row({"allowed", Cell::Grams(plan.allowed_grams())})
      .Row({"requested", Cell::Grams(plan.requested_grams())})
      .Row({"special", Cell::Grams(plan.special_grams())})
      .Row({"from", DateText(plan.plan_start())})
      .Row({"to", DateText(plan.plan_end())})
      .Row({"requests", codes})
      .Row({"changed", TimeText(plan.updated_at())});
  return table.Text();
}

// Weights in kilograms, as everywhere.
std::string KeptValueText(const std::string& field, const std::string& value) {
  int64_t grams = 0;
  return absl::EndsWith(field, "_grams") && absl::SimpleAtoi(value, &grams)
             ? Kilograms(grams)
             : value;
}

std::string KeptPlansText(const Many<order::v1::KeptPlan>& plans) {
  Table table({"LINE", "ORDER", "FIELD", "STAYS", "THE FILE SAYS"});
  for (const auto& plan : plans) {
    for (const auto& difference : plan.differences()) {
      table.Row({plan.line_number(), plan.order_code(),
                 difference.field() == "requirement_grams" ? "required"
                                                           : difference.field(),
                 KeptValueText(difference.field(), difference.kept_value()),
                 KeptValueText(difference.field(), difference.file_value())});
    }
  }
  return table.Text();
}

std::string ImportText(const order::v1::ImportPlansResponse& import) {
  if (import.bad_row_count() > 0)
    return RefusedImportText(import, "plan imported");
  std::string out;
  if (import.already_imported()) {
    absl::StrAppend(
        &out, "This file was imported before",
        import.import_id().empty()
            ? ""
            : absl::StrCat(" (import ", import.import_id(), ")"),
        "; nothing changed, whatever was imported or deleted since. To bring "
        "its plans back, save it anew with any change. At that time it did:\n");
  } else {
    absl::StrAppend(&out, import.stored() ? "Stored " : "Would store ",
                    import.plan_count(), " plans of ", import.row_count(),
                    " rows");
    if (!import.import_id().empty()) {
      absl::StrAppend(&out, " (import ", import.import_id(), ")");
    }
    absl::StrAppend(&out, ".\n");
  }
  Table table({"ROWS", "PLANS", "NEW", "CHANGED", "AS BEFORE", "KEPT"});
  table.Row({import.row_count(), import.plan_count(),
             import.created_plan_count(), import.updated_plan_count(),
             import.unchanged_plan_count(), import.kept_plan_count()});
  out += table.Text();
  if (import.kept_plans_size() > 0) {
    absl::StrAppend(&out, "These plans have requests and stay as they were:\n",
                    KeptPlansText(import.kept_plans()));
    if (import.kept_plan_count() > import.kept_plans_size()) {
      absl::StrAppend(&out, "and ",
                      import.kept_plan_count() - import.kept_plans_size(),
                      " more: `mtpctl plan imported ", import.import_id(),
                      " --part kept-plans --all` shows all.\n");
    }
  }
  return out;
}

// What lists of imports say of each, whatever was imported.
template <typename Import>
std::vector<Cell> ImportCells(const Import& import) {
  return {import.import_id(),
          import.file_name(),
          TimeText(import.imported_at()),
          ActorText(import.imported_by()),
          import.stored() ? "stored" : "refused",
          import.row_count(),
          import.fault_count()};
}

std::string PlanImportsText(const Many<order::v1::PlanImport>& imports) {
  Table table({"IMPORT", "FILE", "WHEN", "BY", "", "ROWS", "FAULTS", "PLANS",
               "NEW", "CHANGED", "KEPT"});
  for (const auto& import : imports) {
    std::vector<Cell> cells = ImportCells(import);
    cells.insert(cells.end(),
                 {import.plan_count(), import.created_plan_count(),
                  import.updated_plan_count(), import.kept_plan_count()});
    table.Row(std::move(cells));
  }
  return TextOrNone(table);
}

std::string PlanImportText(const order::v1::GetPlanImportResponse& import) {
  std::string out;
  Table rows(
      {"LINE", "LOT", "ORDER", "ITEM", "PRODUCT", "REQUIRED", "FROM", "TO"});
  for (const auto& row : import.raw_rows()) {
    rows.Row({row.line_number(), row.lot_code(), row.order_code(),
              row.item_code(), row.product_name(), row.requirement(),
              row.plan_start(), row.plan_end()});
  }
  if (!rows.IsEmpty()) out += rows.Text();
  if (!import.bad_rows().empty()) out += BadRowsText(import.bad_rows());
  if (!import.kept_plans().empty()) out += KeptPlansText(import.kept_plans());
  Many<order::v1::PlanImport> one;
  *one.Add() = import.plan_import();
  return PlanImportsText(one) +
         (out.empty() ? NothingOfThePart(import.plan_import().fault_count())
                      : "\n" + out);
}

std::string RequestImportsText(const Many<order::v1::RequestImport>& imports) {
  Table table({"IMPORT", "FILE", "WHEN", "BY", "", "ROWS", "FAULTS", "NEW",
               "AS BEFORE"});
  for (const auto& import : imports) {
    std::vector<Cell> cells = ImportCells(import);
    cells.insert(cells.end(), {import.created_request_count(),
                               import.unchanged_request_count()});
    table.Row(std::move(cells));
  }
  return TextOrNone(table);
}

std::string RequestImportText(
    const order::v1::GetRequestImportResponse& import) {
  std::string out;
  Table rows({"LINE", "REFERENCE", "ORDER", "PRODUCT", "ITEM", "QUANTITY",
              "REQUESTED ON", "SPECIAL", "COMMENTS"});
  for (const auto& row : import.raw_rows()) {
    rows.Row({row.line_number(), row.reference(), row.order_code(),
              row.product_name(), row.item_code(), row.quantity(),
              row.requested_on(), row.special(), row.comments()});
  }
  if (!rows.IsEmpty()) out += rows.Text();
  if (!import.bad_rows().empty()) out += BadRowsText(import.bad_rows());
  Many<order::v1::RequestImport> one;
  *one.Add() = import.request_import();
  return RequestImportsText(one) +
         (out.empty() ? NothingOfThePart(import.request_import().fault_count())
                      : "\n" + out);
}

std::string OpenRequestsText(
    const order::v1::ImportOpenRequestsResponse& import) {
  if (import.bad_row_count() > 0)
    return RefusedImportText(import, "request imported");
  std::string out;
  if (import.created_request_count() == 0) {
    out = "Every row of this file was taken over before; nothing changed.\n";
  } else {
    absl::StrAppend(&out, import.stored() ? "Took over " : "Would take over ",
                    import.created_request_count(), " requests of ",
                    import.row_count(), " rows.\n");
  }
  Table table({"ROWS", "NEW", "AS BEFORE"});
  table.Row({import.row_count(), import.created_request_count(),
             import.unchanged_request_count()});
  return out + table.Text();
}

std::string RequestsText(const Many<order::v1::OrderRequest>& requests) {
  Table table({"REQUEST", "ORDER", "BLEND", "PRODUCT", "ASKED", "SPECIAL",
               "SHIPMENT", "QUANTITY", "STATUS"});
  for (const auto& request : requests) {
    bool first = true;
    for (const Shipment& shipment : request.shipments()) {
      table.Row({first ? Cell(request.request_code()) : Cell(),
                 first ? request.order_code() : "",
                 first ? request.item_code() : "",
                 first ? request.product_name() : "",
                 first ? Cell::Grams(request.requirement_grams()) : Cell(),
                 YesIf(first && request.special()), KeyText(shipment.key()),
                 Cell::Grams(shipment.quantity_grams()),
                 EnumText(shipment.status())});
      first = false;
    }
  }
  return TextOrNone(table);
}

std::string RequestText(const order::v1::OrderRequest& request) {
  Table table;
  table.Row({"request", request.request_code()})
      .Row({"order", request.order_code()})
      .Row({"blend", request.item_code()})
      .Row({"product", request.product_name()})
      .Row({"asked for", Cell::Grams(request.requirement_grams())})
      .Row({"special", request.special() ? "yes" : "no"})
      .Row({"by", ActorText(request.created_by())})
      .Row({"at", TimeText(request.occurred_at())});
  if (!request.comments().empty()) table.Row({"comments", request.comments()});
  std::string out =
      absl::StrCat(table.Text(), "\n", ShipmentsText(request.shipments()));
  if (request.events_size() > 0) {
    absl::StrAppend(&out, "\n", EventsText(request.events()));
  }
  return out;
}

std::string ShipmentsText(const Many<Shipment>& shipments) {
  Table table({"SHIPMENT", "ORDER", "BLEND", "PRODUCT", "QUANTITY", "STATUS",
               "ALLOCATED", "VEHICLE", "DISPATCHED", "EXCEPTIONS"});
  for (const Shipment& shipment : shipments) {
    const auto& progress = shipment.progress();
    table.Row(
        {KeyText(shipment.key()), shipment.order_code(), shipment.item_code(),
         shipment.product_name(), Cell::Grams(shipment.quantity_grams()),
         EnumText(shipment.status()), GramsIfAny(progress.allocated_grams()),
         progress.dispatch().shipment_vehicle(),
         GramsIfAny(progress.dispatch().dispatched_grams()),
         shipment.open_exceptions_size() == 0
             ? Cell()
             : Cell(shipment.open_exceptions_size())});
  }
  return TextOrNone(table);
}

std::string ShipmentText(const Shipment& shipment) {
  const auto& progress = shipment.progress();
  Table table;
  table.Row({"shipment", KeyText(shipment.key())})
      .Row({"order", shipment.order_code()})
      .Row({"blend", shipment.item_code()})
      .Row({"product", shipment.product_name()})
      .Row({"quantity", Cell::Grams(shipment.quantity_grams())})
      .Row({"status", EnumText(shipment.status())})
      .Row({"special", shipment.special() ? "yes" : "no"})
      .Row({"allocated", Cell::Grams(progress.allocated_grams())});
  if (shipment.has_approval()) {
    table.Row(
        {"approval", absl::StrCat(shipment.approval().allowed() ? "allowed by "
                                                                : "denied by ",
                                  ActorText(shipment.approval().actor()), " ",
                                  shipment.approval().order_remarks())});
  }
  if (progress.has_dispatch()) {
    const auto& dispatch = progress.dispatch();
    table.Row({"vehicle", dispatch.shipment_vehicle()})
        .Row({"dispatched", TimeText(dispatch.dispatched_at())})
        .Row({"bags", dispatch.bag_count()})
        .Row({"weight", Cell::Grams(dispatch.dispatched_grams())});
  }
  if (shipment.has_acceptance()) {
    table.Row({"accepted", TimeText(shipment.acceptance().occurred_at())})
        .Row({"by", ActorText(shipment.acceptance().actor())})
        .Row({"remarks", shipment.acceptance().shipment_remarks()});
  }
  if (shipment.has_cancellation()) {
    table.Row({"cancelled", TimeText(shipment.cancellation().cancelled_at())})
        .Row({"why", shipment.cancellation().order_remarks()});
  }
  for (const auto& exception : shipment.open_exceptions()) {
    table.Row({"exception",
               absl::StrCat(exception.kind(), ": ", exception.description())});
  }
  table.Row(
      {"heard from Seeduwa", TimeText(progress.freshness().peer_heard_at())});
  return table.Text();
}

std::string EventsText(const Many<order::v1::ShipmentEvent>& events) {
  Table table({"WHEN (UTC)", "SHIPMENT", "WHAT", "STATUS", "QUANTITY", "WHO",
               "REMARKS", "VEHICLE"});
  for (const auto& event : events) {
    table.Row({TimeText(event.occurred_at()), KeyText(event.key()),
               EnumText(event.cause()), EnumText(event.status()),
               Cell::Grams(event.quantity_grams()), ActorText(event.actor()),
               event.remarks(), event.vehicle()});
  }
  return TextOrNone(table);
}

std::string SchedulesText(const Many<order::v1::Schedule>& schedules) {
  Table table({"SCHEDULE", "DAY", "SHIFT", "SECTION", "ORDER", "QUANTITY",
               "PARCELS", "PARCELLED", "COMPLETED"});
  for (const auto& schedule : schedules) {
    table.Row({schedule.schedule_code(), DateText(schedule.date()),
               EnumText(schedule.shift()), schedule.section(),
               schedule.order_code(), Cell::Grams(schedule.quantity_grams()),
               schedule.parcel_count(), Cell::Grams(schedule.parcel_grams()),
               YesIf(schedule.completed())});
  }
  return TextOrNone(table);
}

std::string ScheduleText(const order::v1::Schedule& schedule) {
  Table table;
  table.Row({"schedule", schedule.schedule_code()})
      .Row({"day", DateText(schedule.date())})
      .Row({"shift", EnumText(schedule.shift())})
      .Row({"section", schedule.section()})
      .Row({"order", schedule.order_code()})
      .Row({"quantity", Cell::Grams(schedule.quantity_grams())})
      .Row({"parcels", schedule.parcel_count()})
      .Row({"parcelled", Cell::Grams(schedule.parcel_grams())})
      .Row({"completed",
            schedule.completed()
                ? absl::StrCat(TimeText(schedule.completed_at()), " by ",
                               ActorText(schedule.completed_by()))
                : "no"});
  std::string out = table.Text();
  if (schedule.feeding_shipments_size() > 0) {
    Table feeding({"SHIPMENT", "BLEND", "PRODUCT", "BAGS", "DISPATCHED",
                   "RECEIVED", "ACCEPTED (UTC)"});
    for (const auto& shipment : schedule.feeding_shipments()) {
      feeding.Row({KeyText(shipment.key()), shipment.item_code(),
                   shipment.product_name(), shipment.bag_count(),
                   Cell::Grams(shipment.dispatched_grams()),
                   Cell::Grams(shipment.received_grams()),
                   TimeText(shipment.accepted_at())});
    }
    absl::StrAppend(&out, "\n", feeding.Text());
  }
  return out;
}

}  // namespace mtp::cli
