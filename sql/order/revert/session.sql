-- Revert order:session from pg

BEGIN;

DROP TABLE admin.refresh_token;
DROP TABLE admin.session;

COMMIT;
