-- Revert sync:reconcile_after_recovery from pg

BEGIN;

DROP INDEX sync.reconcile_run_open;
DROP INDEX sync.reconcile_runs_on_demand_follow_each_other;
UPDATE sync.reconcile_run SET finished_at = now(), error = 'the schema went back to an earlier one'
WHERE finished_at IS NULL;
CREATE UNIQUE INDEX reconcile_runs_follow_each_other ON sync.reconcile_run ((true)) WHERE finished_at IS NULL;

COMMIT;
