-- Revert order:refresh_token_by_expiry from pg

BEGIN;

DROP INDEX admin.refresh_token_by_expiry;

COMMIT;
