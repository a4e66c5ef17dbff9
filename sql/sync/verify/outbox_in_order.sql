-- Verify sync:outbox_in_order on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT indnkeyatts = 3 AND indisvalid FROM pg_catalog.pg_index
    WHERE indexrelid = 'sync.outbox_by_since'::regclass),
    'sync.outbox_by_since: not in the order of kinds';
END
$$;

ROLLBACK;
