-- Verify sync:dead_letter on pg

BEGIN;

SELECT
  kind, key, dead_letter_id, version, epoch, state, reason, message, correlation_ids, first_seen_at, last_seen_at,
  attempts, settlement, settled_at, settled_by, settled_by_username, settled_by_role, drop_reason
FROM sync.dead_letter WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 7 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.dead_letter'::regclass AND convalidated AND conname IN (
      'dead_letter_drop_has_reason', 'dead_letter_has_reason', 'dead_letter_is_one_per_thing',
      'dead_letter_is_unique', 'dead_letter_settlement_has_time', 'dead_letter_settlement_is_known',
      'dead_letter_was_tried')),
    'sync.dead_letter: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'sync.dead_letter'::regclass AND i.indisvalid AND c.relname IN (
      'dead_letter_open')),
    'sync.dead_letter: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'sync.dead_letter', 'SELECT')
    AND has_table_privilege('mtp_app', 'sync.dead_letter', 'INSERT')
    AND has_table_privilege('mtp_app', 'sync.dead_letter', 'UPDATE')
    AND has_table_privilege('mtp_app', 'sync.dead_letter', 'DELETE')
    AND has_table_privilege('mtp_reader', 'sync.dead_letter', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'sync.dead_letter', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sync.dead_letter: grants';
END
$$;

ROLLBACK;
