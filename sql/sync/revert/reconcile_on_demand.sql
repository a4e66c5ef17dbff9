-- Revert sync:reconcile_on_demand from pg

BEGIN;

DROP INDEX sync.reconcile_runs_follow_each_other;
ALTER TABLE sync.reconcile_run DROP COLUMN kinds;

COMMIT;
