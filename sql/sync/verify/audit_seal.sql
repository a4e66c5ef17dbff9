-- Verify sync:audit_seal on pg

BEGIN;

SELECT
  seal_number, epoch, last_entry_id, entry_count, previous_digest, digest, sealed_at
FROM audit.seal WHERE false;

SELECT
  epoch, seal_number, last_entry_id, entry_count, previous_digest, digest, sealed_at, heard_at
FROM audit.peer_seal WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'audit.seal'::regclass AND convalidated AND conname IN (
      'seal_count_within_interval', 'seal_digests_are_sha256', 'seal_ends_once', 'seal_is_unique',
      'seal_numbers_are_positive')),
    'audit.seal: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'audit.seal'::regclass AND tgenabled = 'O' AND tgname IN ('seal_is_append_only')),
    'audit.seal: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'audit.seal', 'SELECT')
    AND has_table_privilege('mtp_app', 'audit.seal', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'audit.seal', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'audit.seal', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'audit.seal', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'audit.seal: grants';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'audit.peer_seal'::regclass AND convalidated AND conname IN (
      'peer_seal_digests_are_sha256', 'peer_seal_is_unique')),
    'audit.peer_seal: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'audit.peer_seal'::regclass AND tgenabled = 'O' AND tgname IN ('peer_seal_is_append_only')),
    'audit.peer_seal: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'audit.peer_seal', 'SELECT')
    AND has_table_privilege('mtp_app', 'audit.peer_seal', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'audit.peer_seal', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'audit.peer_seal', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'audit.peer_seal', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'audit.peer_seal: grants';
END
$$;

ROLLBACK;
