-- Deploy sync:drift_lists to pg
-- requires: reconciliation

BEGIN;

-- Serves ListDrift, and its pages.
CREATE INDEX drift_by_time ON sync.drift (found_at, drift_id);

COMMIT;
