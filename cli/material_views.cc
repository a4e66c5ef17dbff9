#include "cli/material_views.h"

#include "absl/strings/str_cat.h"
#include "cli/table.h"
#include "cli/weights.h"

namespace mtp::cli {

using processing::v1::Blendbalance;
using processing::v1::Herbline;
using processing::v1::Location;
using processing::v1::Tealine;

namespace {

// `38 bags, 1,892.4 kg`.
template <typename Item>
std::string Received(const Item& item) {
  return absl::StrCat(item.received_bag_count(), " bags, ",
                      Kilograms(item.received_grams()));
}

}  // namespace

std::string LocationsText(const Many<Location>& locations) {
  Table table({"LOCATION", "HERBS", "BAGS", "WEIGHT"});
  for (const auto& location : locations) {
    table.Row({location.name(), YesIf(location.herb_section()),
               location.bag_count(), Cell::Grams(location.remaining_grams())});
  }
  return TextOrNone(table);
}

std::string LocationText(const Location& location) {
  Table table;
  table.Row({"location", location.name()})
      .Row({"for herbs", location.herb_section() ? "yes" : "no"})
      .Row({"bags", location.bag_count()})
      .Row({"weight", Cell::Grams(location.remaining_grams())})
      .Row({"made", TimeText(location.created_at())})
      .Row({"id", location.location_id()})
      .Row({"etag", location.etag()});
  return table.Text();
}

std::string TealinesText(const Many<Tealine>& tealines) {
  Table table({"CODE", "GARDEN", "GRADE", "INVOICE", "BROKER", "BAGS", "EACH",
               "RECEIVED", "WEIGHT", "REMAINING", "ID"});
  for (const auto& tealine : tealines) {
    table.Row({tealine.item_code(), tealine.garden(), tealine.grade(),
               tealine.invoice(), tealine.broker(), tealine.bag_count(),
               Cell::Grams(tealine.bag_grams()), tealine.received_bag_count(),
               Cell::Grams(tealine.received_grams()),
               Cell::Grams(tealine.remaining_grams()), tealine.item_id()});
  }
  return TextOrNone(table);
}

std::string TealineText(const Tealine& tealine) {
  Table table;
  table.Row({"tealine", tealine.item_code()})
      .Row({"garden", tealine.garden()})
      .Row({"grade", tealine.grade()})
      .Row({"invoice", tealine.invoice()})
      .Row({"broker", tealine.broker()})
      .Row({"purchase order", tealine.purchase_order()})
      .Row({"invoiced", absl::StrCat(tealine.bag_count(), " bags of ",
                                     Kilograms(tealine.bag_grams()))})
      .Row({"received", Received(tealine)})
      .Row({"remaining", Cell::Grams(tealine.remaining_grams())})
      .Row({"defined", TimeText(tealine.occurred_at())})
      .Row({"id", tealine.item_id()})
      .Row({"etag", tealine.etag()});
  return table.Text();
}

std::string HerblinesText(const Many<Herbline>& herblines) {
  Table table({"CODE", "HERB", "PURCHASE ORDER", "EXPECTED", "BAGS", "WEIGHT",
               "REMAINING", "ID"});
  for (const Herbline& herbline : herblines) {
    table.Row({herbline.item_code(), herbline.name(), herbline.purchase_order(),
               Cell::Grams(herbline.expected_grams()),
               herbline.received_bag_count(),
               Cell::Grams(herbline.received_grams()),
               Cell::Grams(herbline.remaining_grams()), herbline.item_id()});
  }
  return TextOrNone(table);
}

std::string HerblineText(const Herbline& herbline) {
  Table table;
  table.Row({"herbline", herbline.item_code()})
      .Row({"herb", herbline.name()})
      .Row({"purchase order", herbline.purchase_order()})
      .Row({"expected", Cell::Grams(herbline.expected_grams())})
      .Row({"received", Received(herbline)})
      .Row({"remaining", Cell::Grams(herbline.remaining_grams())})
      .Row({"defined", TimeText(herbline.occurred_at())})
      .Row({"id", herbline.item_id()})
      .Row({"etag", herbline.etag()});
  return table.Text();
}

std::string BlendbalancesText(const Many<Blendbalance>& blendbalances) {
  Table table({"CODE", "BLEND", "TRANSFER", "EXPECTED", "BAGS", "WEIGHT",
               "REMAINING", "ID"});
  for (const auto& balance : blendbalances) {
    table.Row(
        {balance.item_code(), balance.blend_code(), balance.transfer_id(),
         balance.has_expected_grams() ? Cell::Grams(balance.expected_grams())
                                      : Cell(),
         balance.received_bag_count(), Cell::Grams(balance.received_grams()),
         Cell::Grams(balance.remaining_grams()), balance.item_id()});
  }
  return TextOrNone(table);
}

std::string BlendbalanceText(const Blendbalance& balance) {
  Table table;
  table.Row({"blendbalance", balance.item_code()})
      .Row({"blend", balance.blend_code()})
      .Row({"transfer", balance.transfer_id()})
      .Row({"expected", balance.has_expected_grams()
                            ? Kilograms(balance.expected_grams())
                            : "any weight"})
      .Row({"received", Received(balance)})
      .Row({"remaining", Cell::Grams(balance.remaining_grams())})
      .Row({"defined", TimeText(balance.occurred_at())})
      .Row({"id", balance.item_id()})
      .Row({"etag", balance.etag()});
  return table.Text();
}

}  // namespace mtp::cli
