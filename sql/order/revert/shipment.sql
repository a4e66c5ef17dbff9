-- Revert order:shipment from pg

BEGIN;

DROP TABLE shipment;

COMMIT;
