-- Revert order:order_plan from pg

BEGIN;

DROP TABLE order_plan;

COMMIT;
