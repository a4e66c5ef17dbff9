-- Revert processing:batch from pg

BEGIN;

DROP TABLE trader_decision;
DROP TABLE measurement;
DROP TABLE batch;

COMMIT;
