-- Revert order:plan_import from pg

BEGIN;

DROP TABLE plan_import_kept;
DROP TABLE plan_import_fault;
DROP TABLE order_plan_raw;
DROP TABLE plan_import;

COMMIT;
