-- Revert order:request_import from pg

BEGIN;

DROP TABLE request_import_fault;
DROP TABLE order_request_raw;
DROP TABLE request_import;

COMMIT;
