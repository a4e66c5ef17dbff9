-- Verify sync:reconcile_on_demand on pg

BEGIN;

SELECT kinds FROM sync.reconcile_run WHERE false;
-- Another one took the index's place since (reconcile_after_recovery).
DO $$
BEGIN
  ASSERT EXISTS (SELECT FROM pg_indexes WHERE schemaname = 'sync' AND tablename = 'reconcile_run'
      AND indexdef LIKE 'CREATE UNIQUE INDEX reconcile_runs_%follow_each_other %'),
    'sync.reconcile_run: nothing keeps two comparisons apart';
END
$$;

ROLLBACK;
