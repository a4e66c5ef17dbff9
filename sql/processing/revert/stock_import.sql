-- Revert processing:stock_import from pg

BEGIN;

DROP TABLE stock_import_fault;
DROP TABLE stock_import;

COMMIT;
