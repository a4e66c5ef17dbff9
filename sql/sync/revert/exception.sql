-- Revert sync:exception from pg

BEGIN;

DROP TABLE sync.exception;

COMMIT;
