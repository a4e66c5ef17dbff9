-- Revert processing:schedule from pg

BEGIN;

DROP TABLE schedule;

COMMIT;
