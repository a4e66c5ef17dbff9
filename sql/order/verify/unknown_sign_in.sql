-- Verify order:unknown_sign_in on pg

BEGIN;

SELECT bucket, failed_sign_ins, last_failed_at, locked_until
FROM admin.unknown_sign_in WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'admin.unknown_sign_in'::regclass AND convalidated AND conname IN (
      'unknown_sign_in_is_unique', 'unknown_sign_in_bucket_has_16_bits', 'unknown_sign_in_failures_not_negative')),
    'admin.unknown_sign_in: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'admin.unknown_sign_in', 'SELECT')
    AND has_table_privilege('mtp_app', 'admin.unknown_sign_in', 'INSERT')
    AND has_table_privilege('mtp_app', 'admin.unknown_sign_in', 'UPDATE')
    AND has_table_privilege('mtp_app', 'admin.unknown_sign_in', 'DELETE')
    AND has_table_privilege('mtp_reader', 'admin.unknown_sign_in', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'admin.unknown_sign_in', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'admin.unknown_sign_in: grants';
END
$$;

ROLLBACK;
