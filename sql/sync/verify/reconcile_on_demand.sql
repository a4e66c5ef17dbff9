-- Verify sync:reconcile_on_demand on pg

BEGIN;

SELECT kinds FROM sync.reconcile_run WHERE false;
SELECT 'sync.reconcile_runs_follow_each_other'::regclass;

ROLLBACK;
