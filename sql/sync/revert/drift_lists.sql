-- Revert sync:drift_lists from pg

BEGIN;

DROP INDEX sync.drift_by_time;

COMMIT;
