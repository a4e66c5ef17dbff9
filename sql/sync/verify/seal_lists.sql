-- Verify sync:seal_lists on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid IN ('audit.seal'::regclass, 'audit.peer_seal'::regclass) AND i.indisvalid AND c.relname IN (
      'peer_seal_by_number', 'seal_by_key', 'peer_seal_by_key')),
    'audit.seal, audit.peer_seal: an index is missing';
END
$$;

ROLLBACK;
