-- Verify order:plan_import on pg

BEGIN;

SELECT
  import_id, file_digest, file_name, stored, row_count, plan_count, created_plan_count, updated_plan_count,
  unchanged_plan_count, kept_plan_count, bad_row_count, fault_count, imported_by, imported_by_username,
  imported_by_role, imported_at, correlation_id
FROM public.plan_import WHERE false;

SELECT
  import_id, line, lot_code, order_code, item_code, production_date, stock, requirement, location, product_code,
  product_name, item_name, sub_location, plan_start, plan_end
FROM public.order_plan_raw WHERE false;

SELECT
  import_id, fault_number, line, order_code, column_name, value, reason, message
FROM public.plan_import_fault WHERE false;

SELECT
  import_id, order_code, line, differences
FROM public.plan_import_kept WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.plan_import'::regclass AND convalidated AND conname IN (
      'plan_import_bad_rows_have_faults', 'plan_import_counts_not_negative', 'plan_import_digest_is_sha256',
      'plan_import_is_stored_without_faults', 'plan_import_is_unique')),
    'plan_import: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.plan_import'::regclass AND i.indisvalid AND c.relname IN (
      'plan_import_by_imported_at', 'plan_import_file_is_stored_once')),
    'plan_import: an index is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.plan_import'::regclass AND tgenabled = 'O' AND tgname IN ('plan_import_is_append_only')),
    'plan_import: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.plan_import', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.plan_import', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.plan_import', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.plan_import', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.plan_import', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'plan_import: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.order_plan_raw'::regclass AND convalidated AND conname IN (
      'order_plan_raw_is_of_an_import', 'order_plan_raw_is_unique', 'order_plan_raw_line_is_positive')),
    'order_plan_raw: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.order_plan_raw'::regclass AND tgenabled = 'O' AND tgname IN ('order_plan_raw_is_append_only')),
    'order_plan_raw: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.order_plan_raw', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.order_plan_raw', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.order_plan_raw', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.order_plan_raw', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.order_plan_raw', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'order_plan_raw: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.plan_import_fault'::regclass AND convalidated AND conname IN (
      'plan_import_fault_has_reason', 'plan_import_fault_is_of_an_import', 'plan_import_fault_is_unique')),
    'plan_import_fault: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.plan_import_fault'::regclass AND tgenabled = 'O' AND tgname IN ('plan_import_fault_is_append_only')),
    'plan_import_fault: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.plan_import_fault', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.plan_import_fault', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.plan_import_fault', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.plan_import_fault', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.plan_import_fault', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'plan_import_fault: grants';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.plan_import_kept'::regclass AND convalidated AND conname IN (
      'plan_import_kept_is_of_an_import', 'plan_import_kept_is_unique')),
    'plan_import_kept: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.plan_import_kept'::regclass AND tgenabled = 'O' AND tgname IN ('plan_import_kept_is_append_only')),
    'plan_import_kept: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.plan_import_kept', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.plan_import_kept', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.plan_import_kept', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.plan_import_kept', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.plan_import_kept', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'plan_import_kept: grants';
END
$$;

ROLLBACK;
