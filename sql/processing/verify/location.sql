-- Verify processing:location on pg

BEGIN;

SELECT
  location_id, name, herb_section, version, created_by, created_by_username, created_by_role, created_at, changed_at
FROM public.location WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.location'::regclass AND convalidated AND conname IN (
      'location_has_name', 'location_has_one_herb_section', 'location_is_unique', 'location_name_is_unique')),
    'location: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'public.location', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.location', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.location', 'UPDATE')
    AND has_table_privilege('mtp_app', 'public.location', 'DELETE')
    AND has_table_privilege('mtp_reader', 'public.location', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.location', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'location: grants';
END
$$;

ROLLBACK;
