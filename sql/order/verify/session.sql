-- Verify order:session on pg

BEGIN;

SELECT
  session_id, subject, created_at, last_refreshed_at, expires_at, ended_at, end_reason, client
FROM admin.session WHERE false;

SELECT
  token_digest, session_id, issued_at, expires_at, used_at
FROM admin.refresh_token WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'admin.session'::regclass AND convalidated AND conname IN (
      'session_end_is_whole', 'session_end_reason_is_known', 'session_is_of_a_user', 'session_is_unique')),
    'admin.session: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'admin.session'::regclass AND i.indisvalid AND c.relname IN (
      'session_by_expiry', 'session_by_subject')),
    'admin.session: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'admin.session', 'SELECT')
    AND has_table_privilege('mtp_app', 'admin.session', 'INSERT')
    AND has_table_privilege('mtp_app', 'admin.session', 'UPDATE')
    AND has_table_privilege('mtp_app', 'admin.session', 'DELETE')
    AND has_table_privilege('mtp_reader', 'admin.session', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'admin.session', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'admin.session: grants';
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'admin.refresh_token'::regclass AND convalidated AND conname IN (
      'refresh_token_digest_is_sha256', 'refresh_token_expires_later', 'refresh_token_is_of_a_session',
      'refresh_token_is_unique')),
    'admin.refresh_token: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'admin.refresh_token'::regclass AND i.indisvalid AND c.relname IN (
      'refresh_token_by_session', 'refresh_token_is_one_per_session')),
    'admin.refresh_token: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'admin.refresh_token', 'SELECT')
    AND has_table_privilege('mtp_app', 'admin.refresh_token', 'INSERT')
    AND has_table_privilege('mtp_app', 'admin.refresh_token', 'UPDATE')
    AND has_table_privilege('mtp_app', 'admin.refresh_token', 'DELETE')
    AND NOT has_table_privilege('mtp_reader', 'admin.refresh_token', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'admin.refresh_token', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'admin.refresh_token: grants';
END
$$;

ROLLBACK;
