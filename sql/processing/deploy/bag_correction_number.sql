-- Deploy processing:bag_correction_number to pg
-- requires: bag_correction

BEGIN;

-- The service numbers the corrections of a bag, under the bag's lock: it tells
-- the number in its reply, and the last one is the one that holds.
ALTER TABLE bag_correction ALTER COLUMN correction_id DROP IDENTITY;
COMMENT ON COLUMN bag_correction.correction_id IS 'Rises with each correction of the bag.';

COMMIT;
