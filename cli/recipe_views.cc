#include "cli/recipe_views.h"

#include "absl/strings/str_cat.h"
#include "cli/table.h"
#include "cli/weights.h"

namespace mtp::cli {

using processing::v1::Blendsheet;
using processing::v1::Flavorsheet;

std::string BlendsheetsText(const Many<Blendsheet>& sheets) {
  Table table({"BLENDSHEET", "REVISION", "BLEND", "GRADE", "TOTAL", "BATCHES",
               "OPENED", "RETIRED"});
  for (const auto& sheet : sheets) {
    table.Row({sheet.number(), sheet.revision(), sheet.blend_code(),
               sheet.grade(), Cell::Grams(sheet.total_grams()),
               sheet.batch_count(), sheet.opened_batch_count(),
               YesIf(sheet.has_retired_at())});
  }
  return TextOrNone(table);
}

std::string BlendsheetText(const Blendsheet& sheet) {
  Table table;
  table.Row({"blendsheet", sheet.number()})
      .Row({"revision", sheet.revision()})
      .Row({"blend", sheet.blend_code()})
      .Row({"standard", sheet.standard()})
      .Row({"grade", sheet.grade()})
      .Row({"remarks", sheet.remarks()})
      .Row({"total", Cell::Grams(sheet.total_grams())})
      .Row({"batches", absl::StrCat(sheet.opened_batch_count(), " of ",
                                    sheet.batch_count(), " opened")})
      .Row({"made", TimeText(sheet.occurred_at())})
      .Row({"retired", TimeText(sheet.retired_at())})
      .Row({"id", sheet.recipe_id()})
      .Row({"etag", sheet.etag()});
  Table mixture({"MIXTURE", "NAME", "BAGS", "WEIGHT"});
  for (const auto& tealine : sheet.tealines()) {
    mixture.Row({tealine.item_code(), tealine.name(), tealine.bag_count(),
                 Cell::Grams(tealine.planned_grams())});
  }
  for (const auto& balance : sheet.blendbalances()) {
    mixture.Row({balance.item_code(), balance.name(), Cell(),
                 Cell::Grams(balance.grams())});
  }
  return absl::StrCat(table.Text(), "\n", mixture.Text());
}

std::string FlavorsheetsText(const Many<Flavorsheet>& sheets) {
  Table table({"FLAVORSHEET", "REVISION", "FLAVOR", "TOTAL", "MIXTURES",
               "OPENED", "RETIRED"});
  for (const Flavorsheet& sheet : sheets) {
    table.Row({sheet.number(), sheet.revision(), sheet.flavor_code(),
               Cell::Grams(sheet.total_grams()), sheet.mixtures_size(),
               sheet.opened_batch_count(), YesIf(sheet.has_retired_at())});
  }
  return TextOrNone(table);
}

std::string FlavorsheetText(const Flavorsheet& sheet) {
  Table table;
  table.Row({"flavorsheet", sheet.number()})
      .Row({"revision", sheet.revision()})
      .Row({"flavor", sheet.flavor_code()})
      .Row({"remarks", sheet.remarks()})
      .Row({"total", Cell::Grams(sheet.total_grams())})
      .Row({"opened", sheet.opened_batch_count() > 0 ? "yes" : "no"})
      .Row({"made", TimeText(sheet.occurred_at())})
      .Row({"retired", TimeText(sheet.retired_at())})
      .Row({"id", sheet.recipe_id()})
      .Row({"etag", sheet.etag()});
  Table mixture({"MIXTURE", "NAME", "KIND", "WEIGHT"});
  for (const auto& part : sheet.mixtures()) {
    mixture.Row({part.code(), part.name(),
                 part.has_herbline_item_id() ? "HERBLINE" : "BLENDSHEET",
                 Cell::Grams(part.grams())});
  }
  return absl::StrCat(table.Text(), "\n", mixture.Text());
}

}  // namespace mtp::cli
