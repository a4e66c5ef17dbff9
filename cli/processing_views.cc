#include "cli/processing_views.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/fields.h"
#include "cli/import_views.h"
#include "cli/table.h"
#include "cli/weights.h"

namespace mtp::cli {
namespace {

using processing::v1::Allocation;
using processing::v1::Bag;
using processing::v1::Batch;

// `BS-1/2`: batch 2 of blendsheet BS-1.
std::string BatchName(const Batch& batch) {
  return absl::StrCat(batch.recipe_number(), "/", batch.batch_number());
}

std::string Percent(int64_t basis_points) {
  return absl::StrFormat("%d.%02d %%", basis_points / 100, basis_points % 100);
}

std::string Density(int64_t grams_per_cubic_metre) {
  return absl::StrFormat("%d.%d g/l", grams_per_cubic_metre / 1000,
                         grams_per_cubic_metre % 1000 / 100);
}

}  // namespace

std::string BatchesText(const Many<Batch>& batches) {
  Table table({"BATCH", "BLEND", "STATE", "TRADER", "IN", "OUT", "REMAINING",
               "BAGS", "OPENED (UTC)", "ID"});
  for (const Batch& batch : batches) {
    table.Row(
        {BatchName(batch), batch.code(), EnumText(batch.state()),
         EnumText(batch.trader_state()), Cell::Grams(batch.blend_in_grams()),
         Cell::Grams(batch.out_grams()), Cell::Grams(batch.remaining_grams()),
         batch.bag_count(), TimeText(batch.occurred_at()), batch.batch_id()});
  }
  return TextOrNone(table);
}

std::string TraderQueueText(const Many<Batch>& batches) {
  Table table({"SINCE (UTC)", "BATCH", "BLEND", "TRADER", "STATE", "OUT",
               "REMAINING", "ID"});
  for (const Batch& batch : batches) {
    table.Row({TimeText(batch.trader_changed_at()), BatchName(batch),
               batch.code(), EnumText(batch.trader_state()),
               EnumText(batch.state()), Cell::Grams(batch.out_grams()),
               Cell::Grams(batch.remaining_grams()), batch.batch_id()});
  }
  return TextOrNone(table);
}

std::string BatchText(const Batch& batch) {
  Table table;
  table.Row({"batch", BatchName(batch)})
      .Row({batch.kind() == processing::v1::MATERIAL_KIND_FLAVORSHEET ? "flavor"
                                                                      : "blend",
            batch.code()})
      .Row({"revision", batch.revision()})
      .Row({"state", EnumText(batch.state())})
      .Row({"trader", EnumText(batch.trader_state())})
      .Row({"clearance", EnumText(batch.clearance())})
      .Row({"planned", Cell::Grams(batch.planned_grams())})
      .Row({"in", Cell::Grams(batch.blend_in_grams())})
      .Row({"out", Cell::Grams(batch.out_grams())})
      .Row({"remaining", Cell::Grams(batch.remaining_grams())})
      .Row({"bags", batch.bag_count()})
      .Row({"opened", absl::StrCat(TimeText(batch.occurred_at()), " by ",
                                   ActorText(batch.opened_by()))})
      .Row({"id", batch.batch_id()});
  return table.Text();
}

std::string WholeBatchText(const processing::v1::GetBatchResponse& whole) {
  std::string out = BatchText(whole.batch());
  const auto add = [&out](const char* heading, const Table& table) {
    if (!table.IsEmpty()) {
      absl::StrAppend(&out, "\n", heading, "\n", table.Text());
    }
  };
  Table ingredients({"BAG", "KIND", "SOURCE", "NAME", "WEIGHT", "WHO"});
  for (const auto& in : whole.ingredients()) {
    ingredients.Row({in.barcode(), EnumText(in.kind()), in.source_code(),
                     in.source_name(), Cell::Grams(in.grams()),
                     ActorText(in.actor())});
  }
  add("What went in", ingredients);
  if (whole.bags_size() > 0) {
    absl::StrAppend(&out, "\nWhat came out\n", BagsText(whole.bags()));
  }
  Table measurements({"WHEN (UTC)", "HUMIDITY", "DENSITY", "WHO", "REMARKS"});
  for (const auto& measurement : whole.measurements()) {
    measurements.Row({TimeText(measurement.occurred_at()),
                      Percent(measurement.humidity_basis_points()),
                      Density(measurement.density_grams_per_cubic_metre()),
                      ActorText(measurement.actor()), measurement.remarks()});
  }
  add("Measurements", measurements);
  Table decisions({"WHEN (UTC)", "FROM", "TO", "WHO", "REMARKS"});
  for (const auto& decision : whole.decisions()) {
    decisions.Row({TimeText(decision.occurred_at()),
                   EnumText(decision.from_state()),
                   EnumText(decision.to_state()), ActorText(decision.actor()),
                   decision.remarks()});
  }
  add("The trader", decisions);
  return out;
}

std::string BagsText(const Many<Bag>& bags) {
  Table table({"BARCODE", "NO", "KIND", "SOURCE", "NAME", "LOCATION", "NET",
               "REMAINING", "STATUS", "HELD"});
  for (const Bag& bag : bags) {
    table.Row({bag.barcode(), bag.bag_number(), EnumText(bag.kind()),
               bag.source_code(), bag.source_name(), bag.location(),
               Cell::Grams(bag.net_grams()), Cell::Grams(bag.remaining_grams()),
               EnumText(bag.status()), YesIf(bag.on_hold())});
  }
  return TextOrNone(table);
}

std::string BagText(const Bag& bag) {
  Table table;
  table.Row({"bag", bag.barcode()})
      .Row({"number", bag.bag_number()})
      .Row({"kind", EnumText(bag.kind())})
      .Row({"source", absl::StrCat(bag.source_code(), "  ", bag.source_name())})
      .Row({"location", bag.location()})
      .Row({"gross", Cell::Grams(bag.gross_grams())})
      .Row({"tare", Cell::Grams(bag.tare_grams())})
      .Row({"net", Cell::Grams(bag.net_grams())})
      .Row({"remaining", Cell::Grams(bag.remaining_grams())})
      .Row({"status", EnumText(bag.status())})
      .Row({"received", absl::StrCat(TimeText(bag.occurred_at()), " by ",
                                     ActorText(bag.received_by()))});
  if (bag.written_off_grams() > 0) {
    table.Row({"written off", Cell::Grams(bag.written_off_grams())});
  }
  if (bag.returned_grams() > 0) {
    table.Row({"came back", Cell::Grams(bag.returned_grams())});
  }
  if (bag.on_hold()) table.Row({"on hold", "yes"});
  if (!bag.reference().empty()) table.Row({"reference", bag.reference()});
  return table.Text();
}

std::string MovesText(const Many<processing::v1::BagMove>& moves) {
  Table table({"WHEN (UTC)", "BAG", "KIND", "FROM", "TO", "WHO"});
  for (const auto& move : moves) {
    table.Row({TimeText(move.occurred_at()), move.barcode(),
               EnumText(move.kind()), move.from_location(), move.to_location(),
               ActorText(move.actor())});
  }
  return TextOrNone(table);
}

std::string WholeBagText(const processing::v1::GetBagResponse& whole) {
  std::string out = BagText(whole.bag());
  const auto add = [&out](const char* heading, const Table& table) {
    if (!table.IsEmpty()) {
      absl::StrAppend(&out, "\n", heading, "\n", table.Text());
    }
  };
  Table corrections({"WHEN (UTC)", "GROSS WAS", "TARE WAS", "GROSS", "TARE",
                     "WHO", "REASON"});
  for (const auto& one : whole.corrections()) {
    corrections.Row(
        {TimeText(one.occurred_at()), Cell::Grams(one.old_gross_grams()),
         Cell::Grams(one.old_tare_grams()), Cell::Grams(one.new_gross_grams()),
         Cell::Grams(one.new_tare_grams()), ActorText(one.actor()),
         one.reason()});
  }
  add("Corrections", corrections);
  Table losses({"WHEN (UTC)", "WEIGHT", "REASON", "WHO", "REMARKS"});
  for (const auto& one : whole.write_offs()) {
    losses.Row({TimeText(one.occurred_at()), Cell::Grams(one.grams()),
                EnumText(one.reason()), ActorText(one.actor()), one.remarks()});
  }
  add("Written off", losses);
  Table returns({"WHEN (UTC)", "WEIGHT", "SHIPMENT", "WHO", "REMARKS"});
  for (const auto& one : whole.returns()) {
    returns.Row({TimeText(one.occurred_at()), Cell::Grams(one.net_grams()),
                 KeyText(one.shipment()), ActorText(one.actor()),
                 one.remarks()});
  }
  add("Sent back", returns);
  return out;
}

std::string ScanText(const processing::v1::ScannedBag& scan) {
  std::string out = BagText(scan.bag());
  Table table;
  if (scan.has_tealine()) {
    table.Row({"garden", scan.tealine().garden()})
        .Row({"grade", scan.tealine().grade()})
        .Row({"invoice", scan.tealine().invoice()});
  }
  if (scan.has_herbline()) table.Row({"herb", scan.herbline().name()});
  if (scan.has_blendbalance()) {
    table.Row({"blend", scan.blendbalance().blend_code()})
        .Row({"transfer", scan.blendbalance().transfer_id()});
  }
  if (scan.has_batch()) {
    table
        .Row({"batch", absl::StrCat(scan.batch().recipe_number(), "/",
                                    scan.batch().batch_number())})
        .Row({"blend", scan.batch().code()})
        .Row({"trader", EnumText(scan.batch().trader_state())});
  }
  table.Row({"clearance", EnumText(scan.clearance())});
  if (!scan.hold_reason().empty()) table.Row({"on hold", scan.hold_reason()});
  out += table.Text();
  if (scan.uses_size() > 0) {
    Table uses({"USED FOR", "WEIGHT", "WHEN (UTC)", "GONE", "PARCELLED"});
    for (const auto& use : scan.uses()) {
      uses.Row({use.target_name(), Cell::Grams(use.grams()),
                TimeText(use.occurred_at()), YesIf(use.dispatched()),
                Cell::Grams(use.parcelled_grams())});
    }
    absl::StrAppend(&out, "\n", uses.Text());
  }
  return out;
}

std::string OpeningStockText(
    const processing::v1::ImportOpeningStockResponse& import) {
  if (import.bad_row_count() > 0) return RefusedImportText(import);
  if (import.already_imported()) {
    return absl::StrCat("This file was imported before (", import.import_id(),
                        "); nothing changed.\n");
  }
  std::string out = absl::StrCat(import.stored() ? "Stored " : "Would store ",
                                 import.row_count(),
                                 import.row_count() == 1 ? " bag" : " bags",
                                 " with ", Kilograms(import.net_grams()));
  if (import.stored())
    absl::StrAppend(&out, " (import ", import.import_id(), ")");
  return out + ".\n";
}

std::string LabelText(const processing::v1::GetBagLabelResponse& label) {
  std::string out;
  for (const std::string& line : label.lines())
    absl::StrAppend(&out, line, "\n");
  return absl::StrCat(out, label.code(), "\n");
}

std::string AllocationsText(const Many<Allocation>& allocations) {
  Table table({"ALLOCATION", "BAG", "NAME", "TO", "WEIGHT", "STATE",
               "PARCELLED", "WHO"});
  for (const Allocation& allocation : allocations) {
    table.Row(
        {allocation.allocation_id(), allocation.barcode(),
         allocation.source_name(), allocation.target_name(),
         Cell::Grams(allocation.grams()),
         allocation.dispatched() ? "DISPATCHED" : EnumText(allocation.state()),
         Cell::Grams(allocation.parcelled_grams()),
         ActorText(allocation.allocated_by())});
  }
  return TextOrNone(table);
}

std::string RulesText(const Many<processing::v1::AllocationRule>& rules) {
  Table table({"BAGS OF", "TO", "ALLOWED", "CHANGED (UTC)", "WHO", "ETAG"});
  for (const auto& rule : rules) {
    table.Row({EnumText(rule.kind()), EnumText(rule.target()),
               rule.allowed() ? "yes" : "no", TimeText(rule.changed_at()),
               ActorText(rule.changed_by()), rule.etag()});
  }
  return TextOrNone(table);
}

std::string ParcelsText(const Many<processing::v1::Parcel>& parcels) {
  Table table({"PARCEL", "SCHEDULE", "SHIPMENT", "NAME", "WEIGHT", "MADE (UTC)",
               "TAKEN BACK"});
  for (const auto& parcel : parcels) {
    table.Row({parcel.parcel_id(), parcel.schedule_code(),
               KeyText(parcel.shipment()), parcel.source_name(),
               Cell::Grams(parcel.grams()), TimeText(parcel.occurred_at()),
               TimeText(parcel.released_at())});
  }
  return TextOrNone(table);
}

std::string OpenShipmentsText(
    const Many<processing::v1::OpenShipment>& shipments) {
  Table table({"SHIPMENT", "ORDER", "BLEND", "PRODUCT", "QUANTITY", "STATUS",
               "ALLOCATED", "MISSING", "BAGS", "VEHICLE", "AS OF (UTC)"});
  for (const auto& shipment : shipments) {
    table.Row(
        {KeyText(shipment.key()), shipment.order_code(), shipment.item_code(),
         shipment.product_name(), Cell::Grams(shipment.quantity_grams()),
         EnumText(shipment.status()), Cell::Grams(shipment.allocated_grams()),
         Cell::Grams(shipment.missing_grams()), shipment.bag_count(),
         shipment.dispatch().shipment_vehicle(),
         TimeText(shipment.freshness().changed_at())});
  }
  return TextOrNone(table);
}

std::string ManifestText(
    const processing::v1::GetShipmentManifestResponse& manifest) {
  Table table({"BAG", "NAME", "WEIGHT", "PARCELLED", "ALLOCATION"});
  for (const auto& line : manifest.lines()) {
    table.Row({line.scan().bag().barcode(), line.scan().bag().source_name(),
               Cell::Grams(line.grams()), Cell::Grams(line.parcelled_grams()),
               line.allocation_id()});
  }
  Table total;
  total.Row({"bags", manifest.bag_count()})
      .Row({"weight", Cell::Grams(manifest.total_grams())});
  return absl::StrCat(TextOrNone(table), "\n", total.Text());
}

}  // namespace mtp::cli
