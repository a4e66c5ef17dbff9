-- Deploy sync:reconcile_after_recovery to pg
-- requires: reconcile_on_demand

BEGIN;

DROP INDEX sync.reconcile_runs_follow_each_other;
-- Serves the search for a run that waits to be carried out. People ask for one at a time; one that a restore asks for
-- takes its turn beside it, for it must compare everything from the beginning.
CREATE UNIQUE INDEX reconcile_runs_on_demand_follow_each_other ON sync.reconcile_run ((true))
  WHERE finished_at IS NULL AND cause <> 'RECOVERY';
CREATE INDEX reconcile_run_open ON sync.reconcile_run (started_at) WHERE finished_at IS NULL;

COMMIT;
