-- Verify sync:sync_schema on pg

BEGIN;

SELECT 'sync.refuse_change()'::regprocedure;

DO $$
BEGIN
  ASSERT has_schema_privilege('mtp_app', 'sync', 'USAGE') AND has_schema_privilege('mtp_reader', 'sync', 'USAGE')
    AND NOT has_schema_privilege('mtp_app', 'sync', 'CREATE'),
    'schema sync: grants';
END
$$;

ROLLBACK;
