#include "processing_service/recipe_rows.h"

#include "common/base/protos.h"

namespace mtp::processing {

const std::string_view kRecipeColumns = R"(
  SELECT recipe.recipe_id, recipe.kind, recipe.number, recipe.revision,
    recipe.next_batch_number, recipe.retired_by, recipe.retired_by_username,
    recipe.retired_by_role, recipe.retired_at, recipe.retire_remarks, recipe.version,
    recipe.created_by, recipe.created_by_username, recipe.created_by_role,
    recipe.created_at, recipe.changed_at
)";

const db::Statement Recipe::kLoad = db::Compose({kRecipeColumns, R"(
  FROM recipe JOIN unnest($1::uuid[]) AS wanted (recipe_id)
    ON wanted.recipe_id = recipe.recipe_id
  ORDER BY recipe.recipe_id
  FOR NO KEY UPDATE OF recipe
)"});

const db::Statement Recipe::kLoadNamed = db::Compose({kRecipeColumns, R"(
  FROM recipe JOIN unnest($1::uuid[]) AS wanted (recipe_id)
    ON wanted.recipe_id = recipe.recipe_id
  ORDER BY recipe.recipe_id
  FOR KEY SHARE OF recipe
)"});

const db::Statement Recipe::kLoadNumbered = db::Compose({kRecipeColumns, R"(
  FROM recipe JOIN unnest($1::text[], $2::text[]) AS wanted (kind, number)
    ON wanted.kind = recipe.kind AND wanted.number = recipe.number
  ORDER BY recipe.recipe_id
  FOR KEY SHARE OF recipe
)"});

const db::Statement Recipe::kInsert{R"(
  INSERT INTO recipe (recipe_id, kind, number, revision, next_batch_number, retired_by,
    retired_by_username, retired_by_role, retired_at, retire_remarks, version,
    created_by, created_by_username, created_by_role, created_at, changed_at)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
    $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::text[], $11::bigint[],
    $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[])
)"};

const db::Statement Recipe::kUpdate{R"(
  UPDATE recipe SET revision = fresh.revision,
    next_batch_number = fresh.next_batch_number, retired_by = fresh.retired_by,
    retired_by_username = fresh.retired_by_username,
    retired_by_role = fresh.retired_by_role, retired_at = fresh.retired_at,
    retire_remarks = fresh.retire_remarks, version = fresh.version,
    changed_at = fresh.changed_at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
              $6::text[], $7::timestamptz[], $8::text[], $9::bigint[], $10::timestamptz[])
    AS fresh (recipe_id, revision, next_batch_number, retired_by, retired_by_username,
              retired_by_role, retired_at, retire_remarks, version, changed_at)
  WHERE recipe.recipe_id = fresh.recipe_id
)"};

const std::string_view kRevisionColumns = R"(
  SELECT recipe_revision.recipe_id, recipe_revision.revision, recipe_revision.kind,
    recipe_revision.standard, recipe_revision.grade, recipe_revision.blend_code,
    recipe_revision.flavor_code, recipe_revision.remarks, recipe_revision.total_grams,
    recipe_revision.batch_count, recipe_revision.opened_batches,
    recipe_revision.created_by, recipe_revision.created_by_username,
    recipe_revision.created_by_role, recipe_revision.created_at,
    recipe_revision.occurred_at
)";

const db::Statement RecipeRevision::kLoad = db::Compose({kRevisionColumns, R"(
  FROM recipe_revision JOIN unnest($1::uuid[], $2::bigint[])
    AS wanted (recipe_id, revision)
    ON wanted.recipe_id = recipe_revision.recipe_id
   AND wanted.revision = recipe_revision.revision
)"});

const db::Statement RecipeRevision::kLoadLatest =
    db::Compose({kRevisionColumns, R"(
  FROM recipe_revision
  JOIN recipe ON recipe.recipe_id = recipe_revision.recipe_id
             AND recipe.revision = recipe_revision.revision
  JOIN unnest($1::uuid[]) AS wanted (recipe_id) ON wanted.recipe_id = recipe.recipe_id
)"});

const db::Statement RecipeRevision::kInsert{R"(
  INSERT INTO recipe_revision (recipe_id, revision, kind, standard, grade, blend_code,
    flavor_code, remarks, total_grams, batch_count, opened_batches, created_by,
    created_by_username, created_by_role, created_at, occurred_at)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[],
    $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],
    $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[])
)"};

const db::Statement RecipeRevision::kUpdate{R"(
  UPDATE recipe_revision SET opened_batches = fresh.opened_batches
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])
    AS fresh (recipe_id, revision, opened_batches)
  WHERE recipe_revision.recipe_id = fresh.recipe_id
    AND recipe_revision.revision = fresh.revision
)"};

// What the ingredients are called is read in the select list: more tables in
// FROM, and the planner no longer looks at every order of them.
const std::string_view kMixtureSelect = R"(
  SELECT recipe_mixture.recipe_id, recipe_mixture.revision,
    recipe_mixture.mixture_number, recipe_mixture.kind, recipe_mixture.ingredient_kind,
    recipe_mixture.item_id, recipe_mixture.source_recipe_id, recipe_mixture.bags,
    recipe_mixture.grams, coalesce(item.item_code, source.number, ''),
    CASE recipe_mixture.ingredient_kind
      WHEN 'tealine' THEN
        (SELECT garden || ' ' || grade || ' ' || invoice FROM tealine
         WHERE tealine.item_id = item.item_id)
      WHEN 'herbline' THEN
        (SELECT herbline.name FROM herbline WHERE herbline.item_id = item.item_id)
      WHEN 'blendbalance' THEN
        (SELECT blend_code || ' ' || transfer_id FROM blendbalance
         WHERE blendbalance.item_id = item.item_id)
      ELSE (SELECT latest.blend_code FROM recipe_revision AS latest
            WHERE latest.recipe_id = source.recipe_id
              AND latest.revision = source.revision)
    END,
    coalesce((SELECT tealine.bag_grams FROM tealine
              WHERE tealine.item_id = item.item_id), 0)
  FROM recipe_mixture
  LEFT JOIN item ON item.item_id = recipe_mixture.item_id
  LEFT JOIN recipe AS source ON source.recipe_id = recipe_mixture.source_recipe_id
)";

const db::Statement RecipeMixture::kLoad = db::Compose({kMixtureSelect, R"(
  JOIN unnest($1::uuid[], $2::bigint[], $3::bigint[])
    AS wanted (recipe_id, revision, mixture_number)
    ON wanted.recipe_id = recipe_mixture.recipe_id
   AND wanted.revision = recipe_mixture.revision
   AND wanted.mixture_number = recipe_mixture.mixture_number
)"});

const db::Statement RecipeMixture::kLoadLatest =
    db::Compose({kMixtureSelect, R"(
  JOIN recipe ON recipe.recipe_id = recipe_mixture.recipe_id
             AND recipe.revision = recipe_mixture.revision
  JOIN unnest($1::uuid[]) AS wanted (recipe_id) ON wanted.recipe_id = recipe.recipe_id
)"});

const db::Statement RecipeMixture::kInsert{R"(
  INSERT INTO recipe_mixture (recipe_id, revision, mixture_number, kind,
    ingredient_kind, item_id, source_recipe_id, bags, grams)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
    $6::uuid[], $7::uuid[], $8::bigint[], $9::bigint[])
)"};

v1::Blendsheet ShownBlendsheet(
    const Recipe& recipe, const RecipeRevision& revision,
    const std::vector<const RecipeMixture*>& mixtures) {
  v1::Blendsheet proto;
  proto.set_recipe_id(recipe.recipe_id.ToString());
  proto.set_revision(revision.revision);
  proto.set_number(recipe.number);
  proto.set_standard(revision.standard);
  proto.set_grade(revision.grade);
  proto.set_blend_code(revision.blend_code);
  proto.set_remarks(revision.remarks);
  proto.set_total_grams(revision.total_grams);
  proto.set_batch_count(revision.batch_count);
  for (const RecipeMixture* mixture : mixtures) {
    if (mixture->ingredient_kind == v1::MATERIAL_KIND_TEALINE) {
      v1::TealineMixture& tealine = *proto.add_tealines();
      tealine.set_item_id(mixture->item_id->ToString());
      tealine.set_bag_count(*mixture->bags);
      tealine.set_item_code(mixture->code);
      tealine.set_name(mixture->name);
      tealine.set_planned_grams(*mixture->bags * mixture->bag_grams);
    } else {
      v1::BlendbalanceMixture& blendbalance = *proto.add_blendbalances();
      blendbalance.set_item_id(mixture->item_id->ToString());
      blendbalance.set_grams(*mixture->grams);
      blendbalance.set_item_code(mixture->code);
      blendbalance.set_name(mixture->name);
    }
  }
  *proto.mutable_created_at() = ToProto(revision.created_at);
  *proto.mutable_occurred_at() = ToProto(revision.occurred_at);
  proto.set_opened_batch_count(revision.opened_batches);
  if (recipe.retired())
    *proto.mutable_retired_at() = ToProto(*recipe.retired_at);
  proto.set_latest(revision.revision == recipe.revision);
  proto.set_etag(recipe.Etag());
  return proto;
}

v1::Flavorsheet ShownFlavorsheet(
    const Recipe& recipe, const RecipeRevision& revision,
    const std::vector<const RecipeMixture*>& mixtures) {
  v1::Flavorsheet proto;
  proto.set_recipe_id(recipe.recipe_id.ToString());
  proto.set_revision(revision.revision);
  proto.set_number(recipe.number);
  proto.set_flavor_code(revision.flavor_code);
  proto.set_remarks(revision.remarks);
  for (const RecipeMixture* mixture : mixtures) {
    v1::FlavorsheetMixture& shown = *proto.add_mixtures();
    if (mixture->source_recipe_id.has_value()) {
      shown.set_blendsheet_recipe_id(mixture->source_recipe_id->ToString());
    } else {
      shown.set_herbline_item_id(mixture->item_id->ToString());
    }
    shown.set_grams(*mixture->grams);
    shown.set_code(mixture->code);
    shown.set_name(mixture->name);
  }
  proto.set_total_grams(revision.total_grams);
  *proto.mutable_created_at() = ToProto(revision.created_at);
  *proto.mutable_occurred_at() = ToProto(revision.occurred_at);
  proto.set_opened_batch_count(revision.opened_batches);
  if (recipe.retired())
    *proto.mutable_retired_at() = ToProto(*recipe.retired_at);
  proto.set_latest(revision.revision == recipe.revision);
  proto.set_etag(recipe.Etag());
  return proto;
}

}  // namespace mtp::processing
