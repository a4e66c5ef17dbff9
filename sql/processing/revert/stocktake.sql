-- Revert processing:stocktake from pg

BEGIN;

DROP TABLE stocktake_line;
DROP TABLE stocktake;

COMMIT;
