-- Revert processing:bag_correction from pg

BEGIN;

DROP TABLE write_off;
DROP TABLE bag_correction;

COMMIT;
