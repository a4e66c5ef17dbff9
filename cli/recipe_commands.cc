#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/lookups.h"
#include "cli/recipe_views.h"
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

absl::StatusOr<int64_t> GramsOf(const Part& part) {
  const absl::StatusOr<int64_t> grams = ParseGrams(part.amount);
  if (!grams.ok()) return UsageError(std::string(grams.status().message()));
  return grams;
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
  BlendbalanceMixture& mixture = *sheet.add_blendbalances();
  ASSIGN_OR_RETURN(const int64_t grams, GramsOf(part));
  mixture.set_grams(grams);
  ASSIGN_OR_RETURN(*mixture.mutable_item_id(),
                   BlendbalanceId(session, part.code));
  return absl::OkStatus();
}

absl::Status AddBlend(Session& session, const std::string& text,
                      FlavorsheetContent& sheet) {
  ASSIGN_OR_RETURN(const Part part, ParsePart(text));
  FlavorsheetMixture& mixture = *sheet.add_mixtures();
  ASSIGN_OR_RETURN(const int64_t grams, GramsOf(part));
  mixture.set_grams(grams);
  ASSIGN_OR_RETURN(*mixture.mutable_blendsheet_recipe_id(),
                   BlendsheetId(session, part.code));
  return absl::OkStatus();
}

absl::Status AddHerb(Session& session, const std::string& text,
                     FlavorsheetContent& sheet) {
  ASSIGN_OR_RETURN(const Part part, ParsePart(text));
  FlavorsheetMixture& mixture = *sheet.add_mixtures();
  ASSIGN_OR_RETURN(const int64_t grams, GramsOf(part));
  mixture.set_grams(grams);
  ASSIGN_OR_RETURN(*mixture.mutable_herbline_item_id(),
                   HerblineId(session, part.code));
  return absl::OkStatus();
}

// The mixtures that a command line names, of two kinds.
struct Mixtures {
  std::vector<std::string> first, second;
};
template <typename Content>
using AddPart = absl::Status (*)(Session&, const std::string&, Content&);

template <typename Content>
absl::Status AddParts(Session& session, const std::vector<std::string>& texts,
                      AddPart<Content> add, Content& content) {
  for (const std::string& text : texts) {
    RETURN_IF_ERROR(add(session, text, content));
  }
  return absl::OkStatus();
}

std::shared_ptr<Mixtures> AddBlendsheetMixtures(CLI::App& command) {
  auto mixtures = std::make_shared<Mixtures>();
  command
      .add_option("--tealine", mixtures->first,
                  "Bags of a lot, for all batches together")
      ->type_name("CODE=BAGS");
  command
      .add_option("--blendbalance", mixtures->second,
                  "Of a left-over blend, for all batches together")
      ->type_name("CODE=WEIGHT");
  return mixtures;
}

std::shared_ptr<Mixtures> AddFlavorsheetMixtures(CLI::App& command) {
  auto mixtures = std::make_shared<Mixtures>();
  command.add_option("--blend", mixtures->first, "Of what a blendsheet makes")
      ->type_name("SHEET=WEIGHT");
  command.add_option("--herb", mixtures->second, "Of a lot of herbs")
      ->type_name("CODE=WEIGHT");
  return mixtures;
}

// What the latest revision says, as the next one takes it.
absl::Status ReadBlendsheet(Session& session, ReviseBlendsheetRequest& request,
                            BlendsheetContent& content) {
  GetBlendsheetRequest get;
  get.set_recipe_id(request.recipe_id());
  GetBlendsheetResponse got;
  RETURN_IF_ERROR(session.Call(get, got));
  const Blendsheet& sheet = got.blendsheet();
  content.set_standard(sheet.standard());
  content.set_grade(sheet.grade());
  content.set_blend_code(sheet.blend_code());
  content.set_remarks(sheet.remarks());
  content.set_total_grams(sheet.total_grams());
  content.set_batch_count(sheet.batch_count());
  for (const auto& old : sheet.tealines()) {
    auto& mixture = *content.add_tealines();
    mixture.set_item_id(old.item_id());
    mixture.set_bag_count(old.bag_count());
  }
  for (const auto& old : sheet.blendbalances()) {
    auto& mixture = *content.add_blendbalances();
    mixture.set_item_id(old.item_id());
    mixture.set_grams(old.grams());
  }
  if (request.etag().empty()) request.set_etag(sheet.etag());
  return absl::OkStatus();
}

absl::Status ReadFlavorsheet(Session& session,
                             ReviseFlavorsheetRequest& request,
                             FlavorsheetContent& content) {
  GetFlavorsheetRequest get;
  get.set_recipe_id(request.recipe_id());
  GetFlavorsheetResponse got;
  RETURN_IF_ERROR(session.Call(get, got));
  const Flavorsheet& sheet = got.flavorsheet();
  content.set_flavor_code(sheet.flavor_code());
  content.set_remarks(sheet.remarks());
  for (const auto& old : sheet.mixtures()) {
    auto& mixture = *content.add_mixtures();
    mixture = old;
    mixture.clear_code();
    mixture.clear_name();
  }
  if (request.etag().empty()) request.set_etag(sheet.etag());
  return absl::OkStatus();
}

using Lookup = absl::StatusOr<std::string> (*)(Session&, const std::string&);

// A verb on one sheet, which is named by its number.
template <typename Request, typename Response>
Verb<Request, Response> OnSheet(CLI::App& group, Session& session,
                                const std::string& name,
                                const std::string& help, Lookup lookup) {
  Verb<Request, Response> verb(group, session, name, help);
  verb.Looked("NUMBER", "", "What people call the sheet, or its id", true,
              [&session, lookup](const std::string& text, Request& request) {
                ASSIGN_OR_RETURN(*request.mutable_recipe_id(),
                                 lookup(session, text));
                return absl::OkStatus();
              });
  return verb;
}

template <typename Response>
std::string ItsBlendsheet(const Response& response) {
  return BlendsheetText(response.blendsheet());
}

template <typename Response>
std::string ItsFlavorsheet(const Response& response) {
  return FlavorsheetText(response.flavorsheet());
}

void AddBlendsheetMaking(CLI::App& group, Session& session) {
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
  const auto mixtures = AddBlendsheetMixtures(create.command());
  create
      .Prepared([&session, mixtures](CreateBlendsheetRequest& request) {
        auto& sheet = *request.mutable_blendsheet();
        RETURN_IF_ERROR(AddParts(session, mixtures->first, AddTealine, sheet));
        return AddParts(session, mixtures->second, AddBlendbalance, sheet);
      })
      .Shows(ItsBlendsheet<CreateBlendsheetResponse>);

  auto revise = OnSheet<ReviseBlendsheetRequest, ReviseBlendsheetResponse>(
      group, session, "revise",
      "Makes the next revision: as the latest, but for what is said here",
      BlendsheetId);
  revise.Option("--blend", "blendsheet.blend_code", "The blend it makes")
      .Option("--total", "blendsheet.total_grams",
              "Planned weight of all batches together")
      .Option("--batches", "blendsheet.batch_count", "Batches it allows")
      .Option("--standard", "blendsheet.standard", "The standard")
      .Option("--grade", "blendsheet.grade", "The grade")
      .Option("--remarks", "blendsheet.remarks", "For those who blend");
  const auto changed = AddBlendsheetMixtures(revise.command());
  revise
      .Prepared([&session, changed](ReviseBlendsheetRequest& request) {
        BlendsheetContent content;
        RETURN_IF_ERROR(ReadBlendsheet(session, request, content));
        if (!changed->first.empty()) content.clear_tealines();
        if (!changed->second.empty()) content.clear_blendbalances();
        content.MergeFrom(request.blendsheet());
        RETURN_IF_ERROR(AddParts(session, changed->first, AddTealine, content));
        RETURN_IF_ERROR(
            AddParts(session, changed->second, AddBlendbalance, content));
        *request.mutable_blendsheet() = std::move(content);
        return absl::OkStatus();
      })
      .Shows(ItsBlendsheet<ReviseBlendsheetResponse>);
}

void AddBlendsheets(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "blendsheet", "Recipes of blends");
  AddBlendsheetMaking(group, session);

  Verb<ListBlendsheetsRequest, ListBlendsheetsResponse>(group, session, "list",
                                                        "Lists blendsheets")
      .Option("--number", "number", "Only this one")
      .Option("--blend", "blend_code", "Only of this blend")
      .Option("--retired", "include_retired", "Retired ones too")
      .Option("--batches-left", "batches_left",
              "Only with batches to open, or without")
      .Looked(
          "--revisions-of", "NUMBER", "All revisions of this one", false,
          [&session](const std::string& text, ListBlendsheetsRequest& request) {
            ASSIGN_OR_RETURN(*request.mutable_recipe_id(),
                             BlendsheetId(session, text));
            return absl::OkStatus();
          })
      .Shows([](const auto& response) {
        return BlendsheetsText(response.blendsheets());
      });
  OnSheet<GetBlendsheetRequest, GetBlendsheetResponse>(
      group, session, "show", "One blendsheet", BlendsheetId)
      .Option("--revision", "revision", "As it was in this revision")
      .Shows(ItsBlendsheet<GetBlendsheetResponse>);
  OnSheet<RetireBlendsheetRequest, RetireBlendsheetResponse>(
      group, session, "retire", "No more batches are opened of it",
      BlendsheetId)
      .Option("--remarks", "remarks", "Why")
      .Shows(ItsBlendsheet<RetireBlendsheetResponse>);
}

void AddFlavorsheetMaking(CLI::App& group, Session& session) {
  Verb<CreateFlavorsheetRequest, CreateFlavorsheetResponse> create(
      group, session, "create", "Defines a flavorsheet");
  create.Argument("NUMBER", "number", "What people call the sheet")
      .Needed("--flavor", "flavorsheet.flavor_code", "The flavor it makes")
      .Option("--remarks", "flavorsheet.remarks", "For those who flavor");
  const auto mixtures = AddFlavorsheetMixtures(create.command());
  create
      .Prepared([&session, mixtures](CreateFlavorsheetRequest& request) {
        auto& sheet = *request.mutable_flavorsheet();
        RETURN_IF_ERROR(AddParts(session, mixtures->first, AddBlend, sheet));
        return AddParts(session, mixtures->second, AddHerb, sheet);
      })
      .Shows(ItsFlavorsheet<CreateFlavorsheetResponse>);

  auto revise = OnSheet<ReviseFlavorsheetRequest, ReviseFlavorsheetResponse>(
      group, session, "revise",
      "Makes the next revision: as the latest, but for what is said here; "
      "mixtures are said all or none",
      FlavorsheetId);
  revise.Option("--flavor", "flavorsheet.flavor_code", "The flavor it makes")
      .Option("--remarks", "flavorsheet.remarks", "For those who flavor");
  const auto changed = AddFlavorsheetMixtures(revise.command());
  revise
      .Prepared([&session, changed](ReviseFlavorsheetRequest& request) {
        FlavorsheetContent content;
        RETURN_IF_ERROR(ReadFlavorsheet(session, request, content));
        if (!changed->first.empty() || !changed->second.empty()) {
          content.clear_mixtures();
        }
        content.MergeFrom(request.flavorsheet());
        RETURN_IF_ERROR(AddParts(session, changed->first, AddBlend, content));
        RETURN_IF_ERROR(AddParts(session, changed->second, AddHerb, content));
        *request.mutable_flavorsheet() = std::move(content);
        return absl::OkStatus();
      })
      .Shows(ItsFlavorsheet<ReviseFlavorsheetResponse>);
}

void AddFlavorsheets(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "flavorsheet", "Recipes of flavored blends");
  AddFlavorsheetMaking(group, session);

  Verb<ListFlavorsheetsRequest, ListFlavorsheetsResponse>(
      group, session, "list", "Lists flavorsheets")
      .Option("--number", "number", "Only this one")
      .Option("--flavor", "flavor_code", "Only of this flavor")
      .Option("--retired", "include_retired", "Retired ones too")
      .Option("--batches-left", "batches_left",
              "Only with a batch to open, or without")
      .Looked("--revisions-of", "NUMBER", "All revisions of this one", false,
              [&session](const std::string& text,
                         ListFlavorsheetsRequest& request) {
                ASSIGN_OR_RETURN(*request.mutable_recipe_id(),
                                 FlavorsheetId(session, text));
                return absl::OkStatus();
              })
      .Shows([](const auto& response) {
        return FlavorsheetsText(response.flavorsheets());
      });
  OnSheet<GetFlavorsheetRequest, GetFlavorsheetResponse>(
      group, session, "show", "One flavorsheet", FlavorsheetId)
      .Option("--revision", "revision", "As it was in this revision")
      .Shows(ItsFlavorsheet<GetFlavorsheetResponse>);
  OnSheet<RetireFlavorsheetRequest, RetireFlavorsheetResponse>(
      group, session, "retire", "No more batches are opened of it",
      FlavorsheetId)
      .Option("--remarks", "remarks", "Why")
      .Shows(ItsFlavorsheet<RetireFlavorsheetResponse>);
}

}  // namespace

void AddRecipeCommands(CLI::App& app, Session& session) {
  AddBlendsheets(app, session);
  AddFlavorsheets(app, session);
}

}  // namespace mtp::cli
