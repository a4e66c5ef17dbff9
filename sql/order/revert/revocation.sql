-- Revert order:revocation from pg

BEGIN;

DROP TABLE admin.revocation;

COMMIT;
