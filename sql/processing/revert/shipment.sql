-- Revert processing:shipment from pg

BEGIN;

DROP TABLE dispatch_correction;
DROP TABLE shipment;

COMMIT;
