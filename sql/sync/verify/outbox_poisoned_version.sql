-- Verify sync:outbox_poisoned_version on pg

BEGIN;

SELECT poisoned_version FROM sync.outbox WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.outbox'::regclass AND convalidated
      AND conname = 'outbox_poisoned_version_not_negative'),
    'sync.outbox: a constraint is missing';
END
$$;

ROLLBACK;
