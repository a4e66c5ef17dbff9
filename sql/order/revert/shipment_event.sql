-- Revert order:shipment_event from pg

BEGIN;

DROP TABLE shipment_event;

COMMIT;
