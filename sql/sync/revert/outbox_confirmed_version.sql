-- Revert sync:outbox_confirmed_version from pg

BEGIN;

ALTER TABLE sync.outbox DROP COLUMN confirmed_version;

COMMIT;
