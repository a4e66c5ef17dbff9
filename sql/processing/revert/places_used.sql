-- Revert processing:places_used from pg

BEGIN;

DROP INDEX stocktake_by_location;
DROP INDEX bag_return_by_location;

COMMIT;
