-- Revert order:lockout_secret from pg

BEGIN;

DROP TABLE admin.lockout_secret;

COMMIT;
