-- Verify processing:stock_import on pg

BEGIN;

SELECT
  import_id, file_digest, file_name, stored, row_count, bad_row_count, fault_count, net_grams, imported_by,
  imported_by_username, imported_by_role, imported_at, correlation_id
FROM public.stock_import WHERE false;

SELECT
  import_id, fault_number, line, column_name, value, reason, message
FROM public.stock_import_fault WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.stock_import'::regclass AND convalidated AND conname IN (
      'stock_import_counts_not_negative', 'stock_import_digest_is_sha256', 'stock_import_is_stored_without_faults',
      'stock_import_is_unique')),
    'stock_import: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.stock_import'::regclass AND i.indisvalid AND c.relname IN (
      'stock_import_file_is_stored_once')),
    'stock_import: an index is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.stock_import'::regclass AND tgenabled = 'O' AND tgname IN ('stock_import_is_append_only')),
    'stock_import: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.stock_import', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.stock_import', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.stock_import', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.stock_import', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.stock_import', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'stock_import: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.stock_import_fault'::regclass AND convalidated AND conname IN (
      'stock_import_fault_has_reason', 'stock_import_fault_is_of_an_import', 'stock_import_fault_is_unique')),
    'stock_import_fault: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.stock_import_fault'::regclass AND tgenabled = 'O' AND tgname IN ('stock_import_fault_is_append_only')),
    'stock_import_fault: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.stock_import_fault', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.stock_import_fault', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.stock_import_fault', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.stock_import_fault', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.stock_import_fault', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'stock_import_fault: grants';
END
$$;

ROLLBACK;
