-- Verify order:user_account on pg

BEGIN;

SELECT
  subject, username, role, password_hash, must_change_password, password_changed_at, disabled, disabled_at,
  failed_sign_ins, last_failed_at, locked_until, last_signed_in_at, version, created_by, created_by_username,
  created_by_role, created_at, changed_at
FROM admin.user_account WHERE false;

SELECT
  singleton, subject, made_at
FROM admin.first_admin WHERE false;

DO $$
BEGIN
  ASSERT has_schema_privilege('mtp_app', 'admin', 'USAGE') AND has_schema_privilege('mtp_reader', 'admin', 'USAGE')
    AND NOT has_schema_privilege('mtp_app', 'admin', 'CREATE'),
    'schema admin: grants';
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'admin.user_account'::regclass AND convalidated AND conname IN (
      'user_account_disabled_has_time', 'user_account_failures_not_negative', 'user_account_has_username',
      'user_account_is_unique', 'user_account_password_is_argon2id', 'user_account_role_is_known')),
    'admin.user_account: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'admin.user_account'::regclass AND i.indisvalid AND c.relname IN (
      'user_account_by_role', 'user_account_username_is_unique')),
    'admin.user_account: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'admin.user_account', 'SELECT')
    AND has_table_privilege('mtp_app', 'admin.user_account', 'INSERT')
    AND has_table_privilege('mtp_app', 'admin.user_account', 'UPDATE')
    AND has_table_privilege('mtp_app', 'admin.user_account', 'DELETE')
    AND NOT has_table_privilege('mtp_reader', 'admin.user_account', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'admin.user_account', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'admin.user_account: grants';
  ASSERT has_column_privilege('mtp_reader', 'admin.user_account', 'subject', 'SELECT')
    AND NOT has_column_privilege('mtp_reader', 'admin.user_account', 'password_hash', 'SELECT'),
    'admin.user_account: readers see what they should not';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'admin.first_admin'::regclass AND convalidated AND conname IN (
      'first_admin_is_made_once', 'first_admin_row_is_the_one')),
    'admin.first_admin: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'admin.first_admin', 'SELECT')
    AND has_table_privilege('mtp_app', 'admin.first_admin', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'admin.first_admin', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'admin.first_admin', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'admin.first_admin', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'admin.first_admin: grants';
END
$$;

ROLLBACK;
