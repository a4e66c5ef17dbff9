-- Verify sync:correlation_steps on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid IN ('sync.dead_letter'::regclass, 'sync.exception'::regclass) AND i.indisvalid AND c.relname IN (
      'dead_letter_by_correlation_id', 'exception_by_correlation_id')),
    'sync.dead_letter, sync.exception: an index is missing';
END
$$;

ROLLBACK;
