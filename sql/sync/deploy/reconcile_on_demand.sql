-- Deploy sync:reconcile_on_demand to pg
-- requires: reconciliation

BEGIN;

ALTER TABLE sync.reconcile_run ADD COLUMN kinds text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN sync.reconcile_run.kinds IS 'Those that are compared; empty: all.';

-- Serves the search for a run that waits to be carried out.
CREATE UNIQUE INDEX reconcile_runs_follow_each_other ON sync.reconcile_run ((true)) WHERE finished_at IS NULL;

COMMIT;
