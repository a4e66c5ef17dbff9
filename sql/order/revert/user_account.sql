-- Revert order:user_account from pg

BEGIN;

DROP TABLE admin.first_admin;
DROP TABLE admin.user_account;
DROP SCHEMA admin;

COMMIT;
