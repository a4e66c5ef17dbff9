-- Verify order:revocation on pg

BEGIN;

SELECT
  subject, username, disabled, revoked_before, version, changed_at
FROM admin.revocation WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'admin.revocation'::regclass AND convalidated AND conname IN (
      'revocation_is_one_per_subject', 'revocation_version_is_positive')),
    'admin.revocation: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'admin.revocation'::regclass AND i.indisvalid AND c.relname IN (
      'revocation_by_changed_at')),
    'admin.revocation: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'admin.revocation', 'SELECT')
    AND has_table_privilege('mtp_app', 'admin.revocation', 'INSERT')
    AND has_table_privilege('mtp_app', 'admin.revocation', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'admin.revocation', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'admin.revocation', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'admin.revocation', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'admin.revocation: grants';
END
$$;

ROLLBACK;
