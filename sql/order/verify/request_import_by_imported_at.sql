-- Verify order:request_import_by_imported_at on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'request_import'::regclass AND i.indisvalid AND c.relname = 'request_import_by_imported_at'),
    'request_import: an index is missing';
END
$$;

ROLLBACK;
