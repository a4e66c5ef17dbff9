-- Revert order:signing_key from pg

BEGIN;

DROP TABLE admin.signing_key;

COMMIT;
