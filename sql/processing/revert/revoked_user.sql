-- Revert processing:revoked_user from pg

BEGIN;

DROP TABLE revoked_user;

COMMIT;
