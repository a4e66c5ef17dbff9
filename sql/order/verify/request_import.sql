-- Verify order:request_import on pg

BEGIN;

SELECT
  import_id, file_digest, file_name, stored, row_count, created_request_count, unchanged_request_count,
  bad_row_count, fault_count, imported_by, imported_by_username, imported_by_role, imported_at, correlation_id
FROM public.request_import WHERE false;

SELECT
  import_id, line, reference, order_code, product_name, item_code, quantity, requested_on, special, comments
FROM public.order_request_raw WHERE false;

SELECT
  import_id, fault_number, line, column_name, value, reason, message
FROM public.request_import_fault WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.request_import'::regclass AND convalidated AND conname IN (
      'request_import_counts_not_negative', 'request_import_digest_is_sha256', 'request_import_is_stored_without_faults', 'request_import_is_unique', 'request_import_took_every_row')),
    'request_import: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.request_import'::regclass AND tgenabled = 'O' AND tgname IN ('request_import_is_append_only')),
    'request_import: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.request_import', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.request_import', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.request_import', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.request_import', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.request_import', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'request_import: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.order_request_raw'::regclass AND convalidated AND conname IN (
      'order_request_raw_is_of_an_import', 'order_request_raw_is_unique', 'order_request_raw_line_is_positive')),
    'order_request_raw: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.order_request_raw'::regclass AND tgenabled = 'O' AND tgname IN ('order_request_raw_is_append_only')),
    'order_request_raw: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.order_request_raw', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.order_request_raw', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.order_request_raw', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.order_request_raw', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.order_request_raw', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'order_request_raw: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.request_import_fault'::regclass AND convalidated AND conname IN (
      'request_import_fault_has_reason', 'request_import_fault_is_of_an_import', 'request_import_fault_is_unique')),
    'request_import_fault: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.request_import_fault'::regclass AND tgenabled = 'O' AND tgname IN ('request_import_fault_is_append_only')),
    'request_import_fault: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.request_import_fault', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.request_import_fault', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.request_import_fault', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.request_import_fault', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.request_import_fault', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'request_import_fault: grants';
END
$$;

ROLLBACK;
