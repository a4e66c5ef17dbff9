-- Verify processing:revoked_user on pg

BEGIN;

SELECT
  subject, disabled, revoked_before, order_epoch, order_version, order_changed_at, heard_at
FROM public.revoked_user WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.revoked_user'::regclass AND convalidated AND conname IN (
      'revoked_user_is_unique', 'revoked_user_versions_not_negative')),
    'revoked_user: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.revoked_user'::regclass AND i.indisvalid AND c.relname IN (
      'revoked_user_by_heard_at')),
    'revoked_user: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.revoked_user', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.revoked_user', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.revoked_user', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.revoked_user', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.revoked_user', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.revoked_user', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'revoked_user: grants';
END
$$;

ROLLBACK;
