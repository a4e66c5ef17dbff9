-- Revert sync:audit_lists from pg

BEGIN;

DROP INDEX audit.entry_by_request_id;
DROP INDEX audit.entry_naming_batch;
DROP INDEX audit.entry_naming_shipment;
DROP INDEX audit.entry_by_time;

COMMIT;
