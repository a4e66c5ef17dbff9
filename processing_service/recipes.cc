#include "processing_service/recipes.h"

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "processing_service/editing.h"
#include "processing_service/errors.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

// --- what a recipe says, checked

// The whole of a revision to be: without its number, and its mixtures without
// theirs.
struct Content {
  RecipeRevision revision;
  std::vector<RecipeMixture> mixtures;
};

void WantIngredients(const v1::BlendsheetContent& content, Rows& rows) {
  for (const auto& mixture : content.tealines()) {
    rows.named_items.Want(*Uuid::Parse(mixture.item_id()));
  }
  for (const auto& mixture : content.blendbalances()) {
    rows.named_items.Want(*Uuid::Parse(mixture.item_id()));
  }
}

void WantIngredients(const v1::FlavorsheetContent& content, Rows& rows) {
  for (const auto& mixture : content.mixtures()) {
    if (mixture.has_herbline_item_id()) {
      rows.named_items.Want(*Uuid::Parse(mixture.herbline_item_id()));
    } else if (mixture.has_blendsheet_recipe_id()) {
      const Uuid recipe_id = *Uuid::Parse(mixture.blendsheet_recipe_id());
      rows.named_recipes.Want(recipe_id);
      rows.latest_revisions.Want(recipe_id);
    }
  }
}

std::string Path(std::string_view list, int i, std::string_view field) {
  return absl::StrCat(std::string(list), "[", i, "].", std::string(field));
}

absl::StatusOr<RecipeMixture> OfItem(std::string_view item_id,
                                     MaterialKind kind, const Rows& rows) {
  const Item* item = rows.items.Find(*Uuid::Parse(item_id));
  if (item == nullptr || item->kind != kind)
    return errors::ItemNotFound(item_id);
  return RecipeMixture{.ingredient_kind = kind,
                       .item_id = item->item_id,
                       .code = item->item_code,
                       .name = item->Name(),
                       .bag_grams = item->bag_grams};
}

absl::StatusOr<RecipeMixture> OfBlend(std::string_view recipe_id,
                                      const Rows& rows) {
  const Recipe* recipe = rows.recipes.Find(*Uuid::Parse(recipe_id));
  if (recipe == nullptr || recipe->kind != v1::MATERIAL_KIND_BLENDSHEET) {
    return errors::RecipeNotFound(recipe_id);
  }
  const RecipeRevision* latest =
      rows.revisions.Find({recipe->recipe_id, recipe->revision});
  return RecipeMixture{.ingredient_kind = v1::MATERIAL_KIND_BLENDSHEET,
                       .source_recipe_id = recipe->recipe_id,
                       .code = recipe->number,
                       .name = latest == nullptr ? "" : latest->blend_code};
}

// A blendsheet has at least one mixture, and each item once.
absl::StatusOr<Content> Check(const v1::BlendsheetContent& asked,
                              const Rows& rows) {
  std::vector<errors::FieldViolation> violations;
  absl::flat_hash_set<Uuid> items;
  if (asked.tealines().empty() && asked.blendbalances().empty()) {
    violations.push_back(
        {"blendsheet.tealines", "or blendbalances must not be empty"});
  }
  const auto once = [&](const auto& list, std::string_view name) {
    for (int i = 0; i < list.size(); ++i) {
      if (!items.insert(*Uuid::Parse(list[i].item_id())).second) {
        violations.push_back({Path(name, i, "item_id"), "names an item twice"});
      }
    }
  };
  once(asked.tealines(), "blendsheet.tealines");
  once(asked.blendbalances(), "blendsheet.blendbalances");
  if (!violations.empty()) return errors::InvalidFields(violations);

  Content content{.revision = {.kind = v1::MATERIAL_KIND_BLENDSHEET,
                               .standard = asked.standard(),
                               .grade = asked.grade(),
                               .blend_code = asked.blend_code(),
                               .remarks = asked.remarks(),
                               .total_grams = asked.total_grams(),
                               .batch_count = asked.batch_count()}};
  for (const auto& tealine : asked.tealines()) {
    ASSIGN_OR_RETURN(
        RecipeMixture mixture,
        OfItem(tealine.item_id(), v1::MATERIAL_KIND_TEALINE, rows));
    mixture.bags = tealine.bag_count();
    content.mixtures.push_back(std::move(mixture));
  }
  for (const auto& blendbalance : asked.blendbalances()) {
    ASSIGN_OR_RETURN(
        RecipeMixture mixture,
        OfItem(blendbalance.item_id(), v1::MATERIAL_KIND_BLENDBALANCE, rows));
    mixture.grams = blendbalance.grams();
    content.mixtures.push_back(std::move(mixture));
  }
  return content;
}

// A flavorsheet's total is the sum of its mixtures; it allows one batch.
absl::StatusOr<Content> Check(const v1::FlavorsheetContent& asked,
                              const Rows& rows) {
  std::vector<errors::FieldViolation> violations;
  absl::flat_hash_set<Uuid> sources;
  for (int i = 0; i < asked.mixtures().size(); ++i) {
    const v1::FlavorsheetMixture& mixture = asked.mixtures(i);
    constexpr std::string_view kList = "flavorsheet.mixtures";
    if (mixture.source_case() == v1::FlavorsheetMixture::SOURCE_NOT_SET) {
      violations.push_back({Path(kList, i, "blendsheet_recipe_id"),
                            "or herbline_item_id is required"});
      continue;
    }
    const bool herb = mixture.has_herbline_item_id();
    const std::string& source =
        herb ? mixture.herbline_item_id() : mixture.blendsheet_recipe_id();
    if (!sources.insert(*Uuid::Parse(source)).second) {
      violations.push_back(
          {Path(kList, i, herb ? "herbline_item_id" : "blendsheet_recipe_id"),
           herb ? "names a herbline twice" : "names a blendsheet twice"});
    }
  }
  if (!violations.empty()) return errors::InvalidFields(violations);

  Content content{.revision = {.kind = v1::MATERIAL_KIND_FLAVORSHEET,
                               .flavor_code = asked.flavor_code(),
                               .remarks = asked.remarks()}};
  for (const v1::FlavorsheetMixture& ingredient : asked.mixtures()) {
    ASSIGN_OR_RETURN(RecipeMixture mixture,
                     ingredient.has_herbline_item_id()
                         ? OfItem(ingredient.herbline_item_id(),
                                  v1::MATERIAL_KIND_HERBLINE, rows)
                         : OfBlend(ingredient.blendsheet_recipe_id(), rows));
    mixture.grams = ingredient.grams();
    content.revision.total_grams += ingredient.grams();
    content.mixtures.push_back(std::move(mixture));
  }
  return content;
}

// --- made, revised, retired: the same for both kinds of sheets

// What differs between the two.
struct Blendsheets {
  static constexpr MaterialKind kKind = v1::MATERIAL_KIND_BLENDSHEET;
  template <typename Request>
  static const v1::BlendsheetContent& ContentOf(const Request& request) {
    return request.blendsheet();
  }
  template <typename Response>
  static v1::Blendsheet* In(Response& response) {
    return response.mutable_blendsheet();
  }
  static auto Shown(const Recipe& recipe, const RecipeRevision& revision,
                    const std::vector<const RecipeMixture*>& mixtures) {
    return ShownBlendsheet(recipe, revision, mixtures);
  }
};
struct Flavorsheets {
  static constexpr MaterialKind kKind = v1::MATERIAL_KIND_FLAVORSHEET;
  template <typename Request>
  static const v1::FlavorsheetContent& ContentOf(const Request& request) {
    return request.flavorsheet();
  }
  template <typename Response>
  static v1::Flavorsheet* In(Response& response) {
    return response.mutable_flavorsheet();
  }
  static auto Shown(const Recipe& recipe, const RecipeRevision& revision,
                    const std::vector<const RecipeMixture*>& mixtures) {
    return ShownFlavorsheet(recipe, revision, mixtures);
  }
};

std::vector<const RecipeMixture*> LatestMixtures(const Rows& rows,
                                                 const Recipe& recipe) {
  std::vector<const RecipeMixture*> mixtures;
  for (const RecipeMixture* mixture : rows.mixtures.All()) {
    if (mixture->recipe_id == recipe.recipe_id &&
        mixture->revision == recipe.revision) {
      mixtures.push_back(mixture);
    }
  }
  return mixtures;
}

template <typename Sheets, typename Response>
Response Respond(const Rows& rows, const Recipe& recipe) {
  Response response;
  *Sheets::In(response) = Sheets::Shown(
      recipe, *rows.revisions.Find({recipe.recipe_id, recipe.revision}),
      LatestMixtures(rows, recipe));
  return response;
}

// Adds the recipe's latest revision.
void AddRevision(const Recipe& recipe, Content content, absl::Time occurred_at,
                 const Context& context, Rows& rows) {
  RecipeRevision& revision = content.revision;
  revision.recipe_id = recipe.recipe_id;
  revision.revision = recipe.revision;
  revision.created_by = context.caller().subject;
  revision.created_by_username = context.caller().username;
  revision.created_by_role = context.caller().role;
  revision.created_at = context.now();
  revision.occurred_at = occurred_at;
  rows.revisions.Insert(std::move(revision));
  int64_t mixture_number = 0;
  for (RecipeMixture& mixture : content.mixtures) {
    mixture.recipe_id = recipe.recipe_id;
    mixture.revision = recipe.revision;
    mixture.mixture_number = ++mixture_number;
    mixture.kind = recipe.kind;
    rows.mixtures.Insert(std::move(mixture));
  }
}

template <typename Sheets, typename Request>
void TouchCreate(const Request& request, Rows& rows) {
  rows.numbered_recipes.Want({Sheets::kKind, request.number()});
  WantIngredients(Sheets::ContentOf(request), rows);
}

template <typename Sheets, typename Request, typename Response>
absl::StatusOr<Response> DecideCreate(const Request& request, Context& context,
                                      Rows& rows) {
  ASSIGN_OR_RETURN(Content content, Check(Sheets::ContentOf(request), rows));
  for (const Recipe* other : rows.recipes.All()) {
    if (other->kind == Sheets::kKind && other->number == request.number()) {
      return errors::RecipeNumberTaken(request.number());
    }
  }
  const Recipe& recipe =
      rows.recipes.Insert({.recipe_id = context.NewId(),
                           .kind = Sheets::kKind,
                           .number = request.number(),
                           .created_by = context.caller().subject,
                           .created_by_username = context.caller().username,
                           .created_by_role = context.caller().role,
                           .created_at = context.now(),
                           .changed_at = context.now()});
  AddRevision(recipe, std::move(content), context.OccurredAt(request), context,
              rows);
  context.AuditAt(context.OccurredAt(request), db::EnumText(recipe.kind),
                  recipe.recipe_id.ToString(), "created",
                  {{"number", recipe.number}});
  return Respond<Sheets, Response>(rows, recipe);
}

template <typename Request>
void WantRecipe(const Request& request, Rows& rows) {
  const Uuid recipe_id = *Uuid::Parse(request.recipe_id());
  rows.recipes.Want(recipe_id);
  rows.latest_revisions.Want(recipe_id);
  rows.latest_mixtures.Want(recipe_id);
}

template <typename Request>
absl::StatusOr<const Recipe*> FindToChange(const Request& request,
                                           MaterialKind kind,
                                           const Rows& rows) {
  const Recipe* recipe = rows.recipes.Find(*Uuid::Parse(request.recipe_id()));
  if (recipe == nullptr || recipe->kind != kind) {
    return errors::RecipeNotFound(request.recipe_id());
  }
  RETURN_IF_ERROR(CheckEtag(request.etag(), recipe->Etag()));
  if (recipe->retired()) return errors::RecipeRetired(*recipe);
  return recipe;
}

template <typename Sheets, typename Request>
void TouchRevise(const Request& request, Rows& rows) {
  WantRecipe(request, rows);
  WantIngredients(Sheets::ContentOf(request), rows);
}

template <typename Sheets, typename Request, typename Response>
absl::StatusOr<Response> DecideRevise(const Request& request, Context& context,
                                      Rows& rows) {
  ASSIGN_OR_RETURN(const Recipe* found,
                   FindToChange(request, Sheets::kKind, rows));
  ASSIGN_OR_RETURN(Content content, Check(Sheets::ContentOf(request), rows));
  Recipe& recipe = rows.recipes.Edit(*found);
  ++recipe.revision;
  ++recipe.version;
  recipe.changed_at = context.now();
  AddRevision(recipe, std::move(content), context.OccurredAt(request), context,
              rows);
  context.AuditAt(context.OccurredAt(request), db::EnumText(recipe.kind),
                  recipe.recipe_id.ToString(), "revised",
                  {{"number", recipe.number}, {"revision", recipe.revision}});
  return Respond<Sheets, Response>(rows, recipe);
}

template <typename Sheets, typename Request, typename Response>
absl::StatusOr<Response> DecideRetire(const Request& request, Context& context,
                                      Rows& rows) {
  ASSIGN_OR_RETURN(const Recipe* found,
                   FindToChange(request, Sheets::kKind, rows));
  Recipe& recipe = rows.recipes.Edit(*found);
  recipe.retired_at = context.now();
  recipe.retired_by = context.caller().subject;
  recipe.retired_by_username = context.caller().username;
  recipe.retired_by_role = context.caller().role;
  recipe.retire_remarks = request.remarks();
  ++recipe.version;
  recipe.changed_at = context.now();
  context.Audit(db::EnumText(recipe.kind), recipe.recipe_id.ToString(),
                "retired",
                {{"number", recipe.number}, {"remarks", request.remarks()}});
  return Respond<Sheets, Response>(rows, recipe);
}

// --- read

// A recipe and one of its revisions, in one row.
struct RecipeAtRevision {
  Recipe recipe;
  RecipeRevision revision;
};

RecipeAtRevision ReadRecipe(const db::Row& row) {
  RecipeAtRevision read;
  std::apply(
      [&](auto... of_recipe) {
        std::apply(
            [&](auto... of_revision) {
              row.Into(read.recipe.*of_recipe...,
                       read.revision.*of_revision...);
            },
            RecipeRevision::kLoaded);
      },
      Recipe::kLoaded);
  return read;
}

constexpr std::string_view kSelect = R"(
  SELECT recipe.recipe_id, recipe.kind, recipe.number, recipe.revision,
    recipe.next_batch_number, recipe.retired_by, recipe.retired_by_username,
    recipe.retired_by_role, recipe.retired_at, recipe.retire_remarks, recipe.version,
    recipe.created_by, recipe.created_by_username, recipe.created_by_role,
    recipe.created_at, recipe.changed_at,
    recipe_revision.recipe_id, recipe_revision.revision, recipe_revision.kind,
    recipe_revision.standard, recipe_revision.grade, recipe_revision.blend_code,
    recipe_revision.flavor_code, recipe_revision.remarks, recipe_revision.total_grams,
    recipe_revision.batch_count, recipe_revision.opened_batches,
    recipe_revision.created_by, recipe_revision.created_by_username,
    recipe_revision.created_by_role, recipe_revision.created_at,
    recipe_revision.occurred_at
  FROM recipe
  JOIN recipe_revision ON recipe_revision.recipe_id = recipe.recipe_id
)";
const db::Statement kGet = db::Compose({kSelect, R"(
  WHERE recipe.recipe_id = $1::uuid AND recipe.kind = $2::text
    AND recipe_revision.revision = coalesce(nullif($3::bigint, 0), recipe.revision)
)"});
const db::Statement kGetMixtures = db::Compose({kMixtureSelect, R"(
  JOIN recipe ON recipe.recipe_id = recipe_mixture.recipe_id
  WHERE recipe.recipe_id = $1::uuid
    AND recipe_mixture.revision = coalesce(nullif($2::bigint, 0), recipe.revision)
  ORDER BY recipe_mixture.mixture_number
)"});

template <typename Sheets, typename Request>
absl::Status AskGet(const Request& request, db::Exchange& exchange) {
  const Uuid recipe_id = *Uuid::Parse(request.recipe_id());
  exchange.Add(
      kGet,
      db::Params().Add(recipe_id).Add(Sheets::kKind).Add(request.revision()));
  exchange.Add(kGetMixtures,
               db::Params().Add(recipe_id).Add(request.revision()));
  return absl::OkStatus();
}

template <typename Sheets, typename Request, typename Response>
absl::StatusOr<Response> AnswerGet(const Request& request,
                                   const db::Results& results) {
  if (results[0].empty()) return errors::RecipeNotFound(request.recipe_id());
  const RecipeAtRevision read = ReadRecipe(results[0][0]);
  const std::vector<RecipeMixture> mixtures =
      ReadAll<RecipeMixture>(results[1]);
  std::vector<const RecipeMixture*> shown;
  for (const RecipeMixture& mixture : mixtures) shown.push_back(&mixture);
  Response response;
  *Sheets::In(response) = Sheets::Shown(read.recipe, read.revision, shown);
  return response;
}

// Which revisions a page has: the latest of each recipe, or all of one recipe.
// Empty or NULL does not narrow.
constexpr std::string_view kPage = R"(
  SELECT recipe.recipe_id, recipe_revision.revision
  FROM recipe
  JOIN recipe_revision ON recipe_revision.recipe_id = recipe.recipe_id
  WHERE recipe.kind = $5::text
    AND CASE WHEN $7::uuid IS NULL THEN recipe_revision.revision = recipe.revision
             ELSE recipe.recipe_id = $7 END
    AND ($6::text = '' OR strpos(lower(concat_ws(E'\n', recipe.number,
           recipe_revision.blend_code, recipe_revision.flavor_code,
           recipe_revision.remarks)), lower($6)) > 0)
    AND ($8::text = '' OR recipe.number = $8)
    AND ($9::text = '' OR $9 IN (recipe_revision.blend_code, recipe_revision.flavor_code))
    AND ($10::boolean OR recipe.retired_at IS NULL)
    AND ($11::boolean IS NULL
         OR $11 = (recipe_revision.opened_batches < recipe_revision.batch_count))
    AND ($2::text IS NULL OR
)";

// The sheets of a page in their order, and their mixtures.
struct ListStatements {
  db::Statement sheets;
  db::Statement mixtures;
};

ListStatements MakeList(std::string_view behind_position,
                        std::string_view order) {
  return {db::Compose({kSelect, "JOIN (", kPage, behind_position, ") ORDER BY ",
                       order,
                       R"( LIMIT $1::bigint) AS page
                          ON page.recipe_id = recipe.recipe_id
                         AND page.revision = recipe_revision.revision
                         ORDER BY )",
                       order}),
          db::Compose({kMixtureSelect, "JOIN (", kPage, behind_position,
                       ") ORDER BY ", order, R"( LIMIT $1::bigint) AS page
                          ON page.recipe_id = recipe_mixture.recipe_id
                         AND page.revision = recipe_mixture.revision
                         ORDER BY recipe_mixture.recipe_id, recipe_mixture.revision,
                                  recipe_mixture.mixture_number)"})};
}

const ListStatements kNewestFirst = MakeList(
    R"((recipe_revision.created_at, recipe.recipe_id, recipe_revision.revision)
       < ($2::text::timestamptz, $3::uuid, $4::bigint))",
    "recipe_revision.created_at DESC, recipe.recipe_id DESC, "
    "recipe_revision.revision DESC");
const ListStatements kOldestFirst = MakeList(
    R"((recipe_revision.created_at, recipe.recipe_id, recipe_revision.revision)
       > ($2::text::timestamptz, $3::uuid, $4::bigint))",
    "recipe_revision.created_at, recipe.recipe_id, recipe_revision.revision");
const ListStatements kByNumber = MakeList(
    R"((recipe.number, recipe.recipe_id, recipe_revision.revision)
       > ($2::text, $3::uuid, $4::bigint))",
    "recipe.number, recipe.recipe_id, recipe_revision.revision");

// The orders of both lists have the same numbers.
static_assert(static_cast<int>(v1::LIST_FLAVORSHEETS_ORDER_CREATED) ==
                  v1::LIST_BLENDSHEETS_ORDER_CREATED &&
              static_cast<int>(v1::LIST_FLAVORSHEETS_ORDER_NUMBER) ==
                  v1::LIST_BLENDSHEETS_ORDER_NUMBER);

template <typename Request>
bool OrderedByNumber(const Request& request) {
  return static_cast<int>(request.order_by()) ==
         v1::LIST_BLENDSHEETS_ORDER_NUMBER;
}

template <typename Request>
const ListStatements& StatementsOf(const Request& request) {
  if (OrderedByNumber(request)) return kByNumber;
  return static_cast<int>(request.order_by()) ==
                 v1::LIST_BLENDSHEETS_ORDER_CREATED
             ? kOldestFirst
             : kNewestFirst;
}

const std::string& CodeOf(const v1::ListBlendsheetsRequest& request) {
  return request.blend_code();
}
const std::string& CodeOf(const v1::ListFlavorsheetsRequest& request) {
  return request.flavor_code();
}

template <typename Sheets, typename Request>
absl::Status AskList(const Request& request, db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const Position position,
                   PagePosition(request,
                                OrderedByNumber(request) ? OrderedBy::kText
                                                         : OrderedBy::kTime,
                                Keyed::kByIdAndNumber));
  const db::Params params = db::Params()
                                .Add(RowLimit(request))
                                .Add(position.value)
                                .Add(position.id)
                                .Add(position.number)
                                .Add(Sheets::kKind)
                                .Add(request.search())
                                .Add(Uuid::Parse(request.recipe_id()))
                                .Add(request.number())
                                .Add(CodeOf(request))
                                .Add(request.include_retired())
                                .Add(request.has_batches_left()
                                         ? std::optional(request.batches_left())
                                         : std::nullopt);
  const ListStatements& statements = StatementsOf(request);
  exchange.Add(statements.sheets, params);
  exchange.Add(statements.mixtures, params);
  return absl::OkStatus();
}

v1::Blendsheet* AddTo(v1::ListBlendsheetsResponse& response) {
  return response.add_blendsheets();
}
v1::Flavorsheet* AddTo(v1::ListFlavorsheetsResponse& response) {
  return response.add_flavorsheets();
}

template <typename Sheets, typename Request, typename Response>
absl::StatusOr<Response> AnswerList(const Request& request,
                                    const db::Results& results) {
  std::vector<RecipeAtRevision> sheets;
  for (const db::Row row : results[0]) sheets.push_back(ReadRecipe(row));
  const std::vector<RecipeMixture> mixtures =
      ReadAll<RecipeMixture>(results[1]);
  absl::flat_hash_map<RecipeRevision::Key, std::vector<const RecipeMixture*>>
      by_sheet;
  for (const RecipeMixture& mixture : mixtures) {
    by_sheet[{mixture.recipe_id, mixture.revision}].push_back(&mixture);
  }
  Response response;
  if (CutRows(request, sheets)) {
    const RecipeAtRevision& last = sheets.back();
    response.set_next_page_token(handlers::NextPageToken(
        request, {OrderedByNumber(request) ? last.recipe.number
                                           : TimeText(last.revision.created_at),
                  last.recipe.recipe_id.ToString(),
                  absl::StrCat(last.revision.revision)}));
  }
  for (const RecipeAtRevision& sheet : sheets) {
    *AddTo(response) = Sheets::Shown(sheet.recipe, sheet.revision,
                                     by_sheet[sheet.revision.key()]);
  }
  return response;
}

}  // namespace

void AddRecipes(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.RecipeService/CreateBlendsheet",
               TouchCreate<Blendsheets, v1::CreateBlendsheetRequest>,
               DecideCreate<Blendsheets, v1::CreateBlendsheetRequest,
                            v1::CreateBlendsheetResponse>);
  commands.Add("mtp.processing.v1.RecipeService/ReviseBlendsheet",
               TouchRevise<Blendsheets, v1::ReviseBlendsheetRequest>,
               DecideRevise<Blendsheets, v1::ReviseBlendsheetRequest,
                            v1::ReviseBlendsheetResponse>);
  commands.Add("mtp.processing.v1.RecipeService/RetireBlendsheet",
               WantRecipe<v1::RetireBlendsheetRequest>,
               DecideRetire<Blendsheets, v1::RetireBlendsheetRequest,
                            v1::RetireBlendsheetResponse>);
  queries.Add("mtp.processing.v1.RecipeService/GetBlendsheet",
              AskGet<Blendsheets, v1::GetBlendsheetRequest>,
              AnswerGet<Blendsheets, v1::GetBlendsheetRequest,
                        v1::GetBlendsheetResponse>);
  queries.Add("mtp.processing.v1.RecipeService/ListBlendsheets",
              AskList<Blendsheets, v1::ListBlendsheetsRequest>,
              AnswerList<Blendsheets, v1::ListBlendsheetsRequest,
                         v1::ListBlendsheetsResponse>);

  commands.Add("mtp.processing.v1.RecipeService/CreateFlavorsheet",
               TouchCreate<Flavorsheets, v1::CreateFlavorsheetRequest>,
               DecideCreate<Flavorsheets, v1::CreateFlavorsheetRequest,
                            v1::CreateFlavorsheetResponse>);
  commands.Add("mtp.processing.v1.RecipeService/ReviseFlavorsheet",
               TouchRevise<Flavorsheets, v1::ReviseFlavorsheetRequest>,
               DecideRevise<Flavorsheets, v1::ReviseFlavorsheetRequest,
                            v1::ReviseFlavorsheetResponse>);
  commands.Add("mtp.processing.v1.RecipeService/RetireFlavorsheet",
               WantRecipe<v1::RetireFlavorsheetRequest>,
               DecideRetire<Flavorsheets, v1::RetireFlavorsheetRequest,
                            v1::RetireFlavorsheetResponse>);
  queries.Add("mtp.processing.v1.RecipeService/GetFlavorsheet",
              AskGet<Flavorsheets, v1::GetFlavorsheetRequest>,
              AnswerGet<Flavorsheets, v1::GetFlavorsheetRequest,
                        v1::GetFlavorsheetResponse>);
  queries.Add("mtp.processing.v1.RecipeService/ListFlavorsheets",
              AskList<Flavorsheets, v1::ListFlavorsheetsRequest>,
              AnswerList<Flavorsheets, v1::ListFlavorsheetsRequest,
                         v1::ListFlavorsheetsResponse>);
}

}  // namespace mtp::processing
