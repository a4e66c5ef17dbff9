-- Revert order:shipment_difference from pg

BEGIN;

DROP TABLE shipment_difference;

COMMIT;
