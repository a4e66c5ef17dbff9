-- Verify sync:reconcile_after_recovery on pg

BEGIN;

SELECT 'sync.reconcile_runs_on_demand_follow_each_other'::regclass;
SELECT 'sync.reconcile_run_open'::regclass;
DO $$
BEGIN
  ASSERT to_regclass('sync.reconcile_runs_follow_each_other') IS NULL,
    'sync.reconcile_run: what a restore asks for would be left out';
END
$$;

ROLLBACK;
