-- Verify sync:outbox on pg

BEGIN;

SELECT
  kind, key, version, correlation_ids, since, attempts, next_attempt_at, last_error, lease_token, leased_until, lease_pid
FROM sync.outbox WHERE false;

DO $$
BEGIN
  ASSERT has_sequence_privilege('mtp_app', 'sync.lease_token_seq', 'USAGE'),
    'sync.lease_token_seq: grants';
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.outbox'::regclass AND convalidated AND conname IN (
      'outbox_attempts_not_negative', 'outbox_kind_is_known', 'outbox_lease_is_whole', 'outbox_marks_a_thing_once',
      'outbox_version_is_positive')),
    'sync.outbox: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'sync.outbox'::regclass AND i.indisvalid AND c.relname IN (
      'outbox_by_since')),
    'sync.outbox: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'sync.outbox', 'SELECT')
    AND has_table_privilege('mtp_app', 'sync.outbox', 'INSERT')
    AND has_table_privilege('mtp_app', 'sync.outbox', 'UPDATE')
    AND has_table_privilege('mtp_app', 'sync.outbox', 'DELETE')
    AND has_table_privilege('mtp_reader', 'sync.outbox', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'sync.outbox', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sync.outbox: grants';
END
$$;

ROLLBACK;
