-- Revert sync:outbox_in_order from pg

BEGIN;

DROP INDEX sync.outbox_by_since;
CREATE INDEX outbox_by_since ON sync.outbox (since);

COMMIT;
