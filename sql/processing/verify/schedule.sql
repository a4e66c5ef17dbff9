-- Verify processing:schedule on pg

BEGIN;

SELECT
  schedule_code, schedule_date, order_code, shift, section, quantity_grams, completed, completed_by,
  completed_by_username, completed_by_role, completed_at, order_epoch, order_version, order_changed_at, heard_at,
  parcel_count, parcel_grams, version, changed_at
FROM public.schedule WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.schedule'::regclass AND convalidated AND conname IN (
      'schedule_code_is_positive', 'schedule_is_unique', 'schedule_parcels_not_negative',
      'schedule_quantity_is_positive', 'schedule_shift_is_known', 'schedule_versions_not_negative')),
    'schedule: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.schedule'::regclass AND i.indisvalid AND c.relname IN (
      'schedule_by_order')),
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
