-- Verify sync:drift_lists on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'sync.drift'::regclass AND i.indisvalid AND c.relname = 'drift_by_time'),
    'sync.drift: an index is missing';
END
$$;

ROLLBACK;
