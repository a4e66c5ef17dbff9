#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/lookups.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "mtp/processing/v1/recipes.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

// `CODE=AMOUNT`, as the mixtures of a recipe are written.
struct Part {
  std::string code;
  std::string amount;
};
absl::StatusOr<Part> ParsePart(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) {
    return UsageError(absl::StrCat("`", text, "` is not CODE=AMOUNT"));
  }
  return Part{text.substr(0, equals), text.substr(equals + 1)};
}

absl::Status AddTealine(Session& session, const std::string& text,
                        BlendsheetContent& sheet) {
  ASSIGN_OR_RETURN(const Part part, ParsePart(text));
  int64_t bags = 0;
  if (!absl::SimpleAtoi(part.amount, &bags)) {
    return UsageError(absl::StrCat("`", text, "` is not CODE=BAGS"));
  }
  TealineMixture& mixture = *sheet.add_tealines();
  ASSIGN_OR_RETURN(*mixture.mutable_item_id(), TealineId(session, part.code));
  mixture.set_bag_count(bags);
  return absl::OkStatus();
}

absl::Status AddBlendbalance(Session& session, const std::string& text,
                             BlendsheetContent& sheet) {
  ASSIGN_OR_RETURN(const Part part, ParsePart(text));
  const absl::StatusOr<int64_t> grams = ParseGrams(part.amount);
  if (!grams.ok()) return UsageError(std::string(grams.status().message()));
  BlendbalanceMixture& mixture = *sheet.add_blendbalances();
  ASSIGN_OR_RETURN(*mixture.mutable_item_id(),
                   BlendbalanceId(session, part.code));
  mixture.set_grams(*grams);
  return absl::OkStatus();
}

struct Mixtures {
  std::vector<std::string> tealines;
  std::vector<std::string> blendbalances;
};

}  // namespace

void AddRecipeCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "blendsheet", "Recipes of blends");

  auto mixtures = std::make_shared<Mixtures>();
  Verb<CreateBlendsheetRequest, CreateBlendsheetResponse> create(
      group, session, "create", "Defines a blendsheet");
  create.Argument("NUMBER", "number", "What people call the sheet")
      .Needed("--blend", "blendsheet.blend_code", "The blend it makes")
      .Needed("--total", "blendsheet.total_grams",
              "Planned weight of all batches together")
      .Needed("--batches", "blendsheet.batch_count", "Batches it allows")
      .Option("--standard", "blendsheet.standard", "The standard")
      .Option("--grade", "blendsheet.grade", "The grade")
      .Option("--remarks", "blendsheet.remarks", "For those who blend");
  create.command()
      .add_option("--tealine", mixtures->tealines,
                  "Bags of a lot, for all batches together")
      ->type_name("CODE=BAGS");
  create.command()
      .add_option("--blendbalance", mixtures->blendbalances,
                  "Of a left-over blend, for all batches together")
      ->type_name("CODE=WEIGHT");
  create
      .Prepared([&session, mixtures](CreateBlendsheetRequest& request) {
        for (const std::string& text : mixtures->tealines) {
          RETURN_IF_ERROR(
              AddTealine(session, text, *request.mutable_blendsheet()));
        }
        for (const std::string& text : mixtures->blendbalances) {
          RETURN_IF_ERROR(
              AddBlendbalance(session, text, *request.mutable_blendsheet()));
        }
        return absl::OkStatus();
      })
      .Shows([](const auto& response) {
        return BlendsheetText(response.blendsheet());
      });

  Verb<ListBlendsheetsRequest, ListBlendsheetsResponse>(group, session, "list",
                                                        "Lists blendsheets")
      .Option("--number", "number", "Only this one")
      .Option("--blend", "blend_code", "Only of this blend")
      .Option("--retired", "include_retired", "Retired ones too")
      .Option("--batches-left", "batches_left",
              "Only with batches to open, or without")
      .Shows([](const auto& response) {
        return BlendsheetsText(response.blendsheets());
      });
}

}  // namespace mtp::cli
