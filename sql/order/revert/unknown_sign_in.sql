-- Revert order:unknown_sign_in from pg

BEGIN;

DROP TABLE admin.unknown_sign_in;

COMMIT;
