-- Revert sync:outbox_poisoned_version from pg

BEGIN;

UPDATE sync.outbox SET next_attempt_at = 'infinity' WHERE poisoned_version >= version;
ALTER TABLE sync.outbox DROP COLUMN poisoned_version;

COMMIT;
