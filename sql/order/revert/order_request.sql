-- Revert order:order_request from pg

BEGIN;

DROP TABLE order_request;

COMMIT;
