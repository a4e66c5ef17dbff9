-- Revert processing:bag_correction_number from pg

BEGIN;

COMMENT ON COLUMN bag_correction.correction_id IS NULL;
ALTER TABLE bag_correction ALTER COLUMN correction_id ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval(pg_get_serial_sequence('bag_correction', 'correction_id'), max(correction_id)) FROM bag_correction;

COMMIT;
