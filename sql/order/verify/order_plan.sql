-- Verify order:order_plan on pg

BEGIN;

SELECT
  order_code, item_code, product_name, requirement_grams, requested_grams, excess_grams, plan_start,
  plan_end, import_id, version, created_at, changed_at
FROM public.order_plan WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 7 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.order_plan'::regclass AND convalidated AND conname IN (
      'order_plan_ends_after_start', 'order_plan_excess_not_negative', 'order_plan_has_codes',
      'order_plan_is_of_an_import', 'order_plan_is_unique', 'order_plan_requested_within_requirement',
      'order_plan_requirement_not_negative')),
    'order_plan: a constraint is missing';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.order_plan'::regclass AND i.indisvalid AND c.relname IN (
      'order_plan_by_import', 'order_plan_by_item', 'order_plan_by_start')),
    'order_plan: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.order_plan', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.order_plan', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.order_plan', 'UPDATE')
    AND has_table_privilege('mtp_app', 'public.order_plan', 'DELETE')
    AND has_table_privilege('mtp_reader', 'public.order_plan', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.order_plan', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'order_plan: grants';
END
$$;

ROLLBACK;
