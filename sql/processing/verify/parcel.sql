-- Verify processing:parcel on pg

BEGIN;

SELECT
  parcel_id, allocation_id, schedule_code, grams, created_by, created_by_username, created_by_role, created_at,
  occurred_at, released_at, released_by, released_by_username, released_by_role, release_remarks
FROM public.parcel WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.parcel'::regclass AND convalidated AND conname IN (
      'parcel_goes_to_a_schedule', 'parcel_is_of_an_allocation', 'parcel_is_positive', 'parcel_is_unique')),
    'parcel: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.parcel'::regclass AND i.indisvalid AND c.relname IN (
      'parcel_by_allocation', 'parcel_by_schedule')),
    'parcel: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.parcel', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.parcel', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.parcel', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.parcel', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.parcel', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.parcel', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'parcel: grants';
END
$$;

ROLLBACK;
