-- Revert processing:bag from pg

BEGIN;

DROP TABLE bag_move;
DROP TABLE bag;

COMMIT;
