-- Verify order:schedule on pg

BEGIN;

SELECT
  schedule_code, schedule_date, order_code, shift, section, quantity_grams, completed, completed_at, completed_by,
  completed_by_username, completed_by_role, recovered, version, changed_at, created_by, created_by_username,
  created_by_role, created_at, progress_epoch, progress_version, progress_changed_at, progress_heard_at, parcel_count,
  parcel_grams
FROM public.schedule WHERE false;

DO $$
BEGIN
  ASSERT has_sequence_privilege('mtp_app', 'public.schedule_code_seq', 'USAGE'),
    'schedule_code_seq: grants';
  ASSERT (SELECT count(*) = 8 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.schedule'::regclass AND convalidated AND conname IN (
      'schedule_code_is_positive', 'schedule_completion_has_time', 'schedule_has_order', 'schedule_is_unique',
      'schedule_progress_not_negative', 'schedule_quantity_is_positive', 'schedule_shift_is_known',
      'schedule_version_is_positive')),
    'schedule: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.schedule'::regclass AND i.indisvalid AND c.relname IN (
      'schedule_by_date', 'schedule_by_order')),
    'schedule: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.schedule', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.schedule', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.schedule', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.schedule', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.schedule', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.schedule', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'schedule: grants';
END
$$;

ROLLBACK;
