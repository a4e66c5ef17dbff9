-- Deploy processing:places_used to pg
-- requires: stocktake
-- requires: bag_dispatch

BEGIN;

-- Serve the foreign keys when a location is deleted.
CREATE INDEX stocktake_by_location ON stocktake (location_id);
CREATE INDEX bag_return_by_location ON bag_return (location_id);

COMMIT;
