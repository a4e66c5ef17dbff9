-- Revert sync:dead_letter from pg

BEGIN;

DROP TABLE sync.dead_letter;

COMMIT;
