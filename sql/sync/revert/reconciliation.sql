-- Revert sync:reconciliation from pg

BEGIN;

DROP TABLE sync.drift;
DROP TABLE sync.reconcile_run;

COMMIT;
