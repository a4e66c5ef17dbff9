-- Verify order:refresh_token_by_expiry on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'admin.refresh_token'::regclass AND i.indisvalid AND c.relname = 'refresh_token_by_expiry'),
    'admin.refresh_token: an index is missing';
END
$$;

ROLLBACK;
