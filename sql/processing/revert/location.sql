-- Revert processing:location from pg

BEGIN;

DROP TABLE location;

COMMIT;
