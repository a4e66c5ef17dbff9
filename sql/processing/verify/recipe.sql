-- Verify processing:recipe on pg

BEGIN;

SELECT
  recipe_id, kind, number, revision, next_batch_number, retired_by, retired_by_username, retired_by_role, retired_at,
  retire_remarks, version, created_by, created_by_username, created_by_role, created_at, changed_at
FROM public.recipe WHERE false;

SELECT
  recipe_id, revision, kind, standard, grade, blend_code, flavor_code, remarks, total_grams, batch_count,
  opened_batches, created_by, created_by_username, created_by_role, created_at, occurred_at
FROM public.recipe_revision WHERE false;

SELECT
  recipe_id, revision, mixture_number, kind, ingredient_kind, item_id, source_recipe_id, bags, grams
FROM public.recipe_mixture WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.recipe'::regclass AND convalidated AND conname IN (
      'recipe_has_number', 'recipe_has_one_kind', 'recipe_is_unique', 'recipe_kind_is_known',
      'recipe_number_is_unique', 'recipe_numbers_are_positive')),
    'recipe: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'public.recipe', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.recipe', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.recipe', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.recipe', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.recipe', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.recipe', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'recipe: grants';
  ASSERT (SELECT count(*) = 8 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.recipe_revision'::regclass AND convalidated AND conname IN (
      'recipe_revision_batches_fit_kind', 'recipe_revision_code_fits_kind', 'recipe_revision_has_one_kind',
      'recipe_revision_is_of_a_recipe', 'recipe_revision_is_positive', 'recipe_revision_is_unique',
      'recipe_revision_opened_within_count', 'recipe_revision_total_is_positive')),
    'recipe_revision: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.recipe_revision'::regclass AND i.indisvalid AND c.relname IN (
      'recipe_revision_by_blend_code', 'recipe_revision_by_flavor_code')),
    'recipe_revision: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.recipe_revision', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.recipe_revision', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.recipe_revision', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.recipe_revision', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.recipe_revision', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.recipe_revision', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'recipe_revision: grants';
  ASSERT (SELECT count(*) = 10 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.recipe_mixture'::regclass AND convalidated AND conname IN (
      'recipe_mixture_has_a_blend_once', 'recipe_mixture_has_an_item_once', 'recipe_mixture_ingredient_fits_kind',
      'recipe_mixture_is_of_a_blend', 'recipe_mixture_is_of_a_revision', 'recipe_mixture_is_of_an_item',
      'recipe_mixture_is_unique', 'recipe_mixture_measure_fits_ingredient', 'recipe_mixture_number_is_positive',
      'recipe_mixture_source_fits_ingredient')),
    'recipe_mixture: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.recipe_mixture'::regclass AND i.indisvalid AND c.relname IN (
      'recipe_mixture_by_blend', 'recipe_mixture_by_item')),
    'recipe_mixture: an index is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.recipe_mixture'::regclass AND tgenabled = 'O' AND tgname IN ('recipe_mixture_is_append_only')),
    'recipe_mixture: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.recipe_mixture', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.recipe_mixture', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.recipe_mixture', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.recipe_mixture', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.recipe_mixture', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'recipe_mixture: grants';
END
$$;

ROLLBACK;
