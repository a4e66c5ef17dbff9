-- Revert order:schedule from pg

BEGIN;

DROP TABLE schedule;

COMMIT;
