-- Revert processing:shipment_by_dispatch from pg

BEGIN;

DROP INDEX shipment_by_dispatch;

COMMIT;
