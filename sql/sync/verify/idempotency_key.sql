-- Verify sync:idempotency_key on pg

BEGIN;

SELECT
  request_id, caller, method, content_digest, reply, created_at
FROM sync.idempotency_key WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.idempotency_key'::regclass AND convalidated AND conname IN (
      'idempotency_key_is_unique')),
    'sync.idempotency_key: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'sync.idempotency_key'::regclass AND i.indisvalid AND c.relname IN (
      'idempotency_key_by_created_at')),
    'sync.idempotency_key: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'sync.idempotency_key', 'SELECT')
    AND has_table_privilege('mtp_app', 'sync.idempotency_key', 'INSERT')
    AND has_table_privilege('mtp_app', 'sync.idempotency_key', 'DELETE')
    AND NOT has_table_privilege('mtp_app', 'sync.idempotency_key', 'UPDATE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'sync.idempotency_key', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'sync.idempotency_key', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sync.idempotency_key: grants';
END
$$;

ROLLBACK;
