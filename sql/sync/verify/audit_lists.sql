-- Verify sync:audit_lists on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'audit.entry'::regclass AND i.indisvalid AND c.relname IN (
      'entry_by_time', 'entry_naming_shipment', 'entry_naming_batch', 'entry_by_request_id')),
    'audit.entry: an index is missing';
END
$$;

ROLLBACK;
