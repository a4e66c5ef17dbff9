-- Revert sync:epoch from pg

BEGIN;

DROP TABLE sync.epoch;

COMMIT;
