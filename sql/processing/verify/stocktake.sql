-- Verify processing:stocktake on pg

BEGIN;

SELECT
  stocktake_id, location_id, reason, counted_bag_count, agreeing_bag_count, difference_grams, counted_by,
  counted_by_username, counted_by_role, occurred_at, recorded_at, correlation_id
FROM public.stocktake WHERE false;

SELECT
  stocktake_id, barcode, finding, book_grams, counted_grams, book_location_id
FROM public.stocktake_line WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.stocktake'::regclass AND convalidated AND conname IN (
      'stocktake_counts_fit', 'stocktake_has_reason', 'stocktake_is_of_a_location', 'stocktake_is_unique')),
    'stocktake: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.stocktake'::regclass AND tgenabled = 'O' AND tgname IN ('stocktake_is_append_only')),
    'stocktake: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.stocktake', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.stocktake', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.stocktake', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.stocktake', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.stocktake', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'stocktake: grants';
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.stocktake_line'::regclass AND convalidated AND conname IN (
      'stocktake_line_finding_is_known', 'stocktake_line_is_of_a_stocktake', 'stocktake_line_is_unique',
      'stocktake_line_weights_not_negative')),
    'stocktake_line: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.stocktake_line'::regclass AND tgenabled = 'O' AND tgname IN ('stocktake_line_is_append_only')),
    'stocktake_line: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.stocktake_line', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.stocktake_line', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.stocktake_line', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.stocktake_line', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.stocktake_line', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'stocktake_line: grants';
END
$$;

ROLLBACK;
