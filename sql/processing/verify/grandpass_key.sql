-- Verify processing:grandpass_key on pg

BEGIN;

SELECT key_id, jwk, heard_at
FROM public.grandpass_key WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.grandpass_key'::regclass AND convalidated AND conname IN (
      'grandpass_key_is_unique', 'grandpass_key_is_public')),
    'grandpass_key: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'public.grandpass_key', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.grandpass_key', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.grandpass_key', 'UPDATE')
    AND has_table_privilege('mtp_app', 'public.grandpass_key', 'DELETE')
    AND has_table_privilege('mtp_reader', 'public.grandpass_key', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.grandpass_key', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'grandpass_key: grants';
END
$$;

ROLLBACK;
