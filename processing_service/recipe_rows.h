#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/processing/v1/recipes.pb.h"
#include "processing_service/kinds.h"

namespace mtp::processing {

// A recipe by its number: a blendsheet or a flavorsheet. What it says is in its
// revisions.
struct Recipe {
  using Key = Uuid;

  Uuid recipe_id;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::string number;
  int64_t revision = 1;           // the latest
  int64_t next_batch_number = 1;  // over all revisions
  std::string retired_by;
  std::string retired_by_username;
  options::v1::Role retired_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> retired_at;
  std::string retire_remarks;
  int64_t version = 1;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time created_at;
  absl::Time changed_at;

  // How a recipe is found by what people call it.
  struct Number {
    MaterialKind kind;
    std::string number;
    auto Columns() const { return std::tuple(kind, number); }
    auto operator<=>(const Number&) const = default;
  };

  Key key() const { return recipe_id; }
  bool retired() const { return retired_at.has_value(); }
  // Of what people edit: a batch that is opened does not change it.
  std::string Etag() const {
    return std::to_string(revision) + (retired() ? "-retired" : "");
  }

  static const db::Statement kLoad;  // by id, FOR NO KEY UPDATE
  // So that it stays: by id, and by kind and number.
  static const db::Statement kLoadNamed;
  static const db::Statement kLoadNumbered;
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Recipe::recipe_id, &Recipe::kind, &Recipe::number, &Recipe::revision,
      &Recipe::next_batch_number, &Recipe::retired_by,
      &Recipe::retired_by_username, &Recipe::retired_by_role,
      &Recipe::retired_at, &Recipe::retire_remarks, &Recipe::version,
      &Recipe::created_by, &Recipe::created_by_username,
      &Recipe::created_by_role, &Recipe::created_at, &Recipe::changed_at);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated = std::tuple(
      &Recipe::recipe_id, &Recipe::revision, &Recipe::next_batch_number,
      &Recipe::retired_by, &Recipe::retired_by_username,
      &Recipe::retired_by_role, &Recipe::retired_at, &Recipe::retire_remarks,
      &Recipe::version, &Recipe::changed_at);
};

// What a recipe says. Only the number of its batches ever changes. Whoever
// changes it holds its recipe's lock.
struct RecipeRevision {
  struct Key {
    Uuid recipe_id;
    int64_t revision = 0;
    auto Columns() const { return std::tuple(recipe_id, revision); }
    auto operator<=>(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.recipe_id, k.revision);
    }
  };

  Uuid recipe_id;
  int64_t revision = 0;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::string standard;
  std::string grade;
  std::string blend_code;
  std::string flavor_code;
  std::string remarks;
  int64_t total_grams = 0;  // planned for all its batches together
  int64_t batch_count = 1;
  int64_t opened_batches = 0;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time created_at;
  absl::Time occurred_at;

  Key key() const { return {recipe_id, revision}; }
  // The blend's or the flavor's.
  const std::string& Code() const {
    return blend_code.empty() ? flavor_code : blend_code;
  }
  int64_t PlannedGrams() const { return total_grams / batch_count; }

  static const db::Statement kLoad;
  static const db::Statement kLoadLatest;  // by the recipe's id
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &RecipeRevision::recipe_id, &RecipeRevision::revision,
      &RecipeRevision::kind, &RecipeRevision::standard, &RecipeRevision::grade,
      &RecipeRevision::blend_code, &RecipeRevision::flavor_code,
      &RecipeRevision::remarks, &RecipeRevision::total_grams,
      &RecipeRevision::batch_count, &RecipeRevision::opened_batches,
      &RecipeRevision::created_by, &RecipeRevision::created_by_username,
      &RecipeRevision::created_by_role, &RecipeRevision::created_at,
      &RecipeRevision::occurred_at);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated =
      std::tuple(&RecipeRevision::recipe_id, &RecipeRevision::revision,
                 &RecipeRevision::opened_batches);
};

// An ingredient of a revision: tealines by bags, everything else by weight.
struct RecipeMixture {
  struct Key {
    Uuid recipe_id;
    int64_t revision = 0;
    int64_t mixture_number = 0;
    auto Columns() const {
      return std::tuple(recipe_id, revision, mixture_number);
    }
    auto operator<=>(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.recipe_id, k.revision,
                        k.mixture_number);
    }
  };

  Uuid recipe_id;
  int64_t revision = 0;
  int64_t mixture_number = 0;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;  // of the recipe
  MaterialKind ingredient_kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::optional<Uuid> item_id;  // exactly one of the two
  std::optional<Uuid> source_recipe_id;
  std::optional<int64_t> bags;  // exactly one of the two
  std::optional<int64_t> grams;
  // Of what it names; only read.
  std::string code;
  std::string name;
  int64_t bag_grams = 0;

  Key key() const { return {recipe_id, revision, mixture_number}; }

  static const db::Statement kLoad;
  static const db::Statement kLoadLatest;  // by the recipe's id
  static const db::Statement kInsert;
  static constexpr auto kLoaded =
      std::tuple(&RecipeMixture::recipe_id, &RecipeMixture::revision,
                 &RecipeMixture::mixture_number, &RecipeMixture::kind,
                 &RecipeMixture::ingredient_kind, &RecipeMixture::item_id,
                 &RecipeMixture::source_recipe_id, &RecipeMixture::bags,
                 &RecipeMixture::grams, &RecipeMixture::code,
                 &RecipeMixture::name, &RecipeMixture::bag_grams);
  static constexpr auto kInserted =
      std::tuple(&RecipeMixture::recipe_id, &RecipeMixture::revision,
                 &RecipeMixture::mixture_number, &RecipeMixture::kind,
                 &RecipeMixture::ingredient_kind, &RecipeMixture::item_id,
                 &RecipeMixture::source_recipe_id, &RecipeMixture::bags,
                 &RecipeMixture::grams);
};

// A revision as the contract shows it; `mixtures` are those of the revision, by
// number.
v1::Blendsheet ShownBlendsheet(
    const Recipe& recipe, const RecipeRevision& revision,
    const std::vector<const RecipeMixture*>& mixtures);
v1::Flavorsheet ShownFlavorsheet(
    const Recipe& recipe, const RecipeRevision& revision,
    const std::vector<const RecipeMixture*>& mixtures);

// "SELECT …" without FROM, and the tables of a mixture and of what it names.
extern const std::string_view kRecipeColumns;    // of `recipe`
extern const std::string_view kRevisionColumns;  // of `recipe_revision`
extern const std::string_view
    kMixtureSelect;  // "SELECT … FROM recipe_mixture …"

}  // namespace mtp::processing
