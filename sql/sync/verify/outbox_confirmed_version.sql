-- Verify sync:outbox_confirmed_version on pg

BEGIN;

SELECT confirmed_version FROM sync.outbox WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.outbox'::regclass AND convalidated
      AND conname = 'outbox_confirmed_version_not_negative'),
    'sync.outbox: a constraint is missing';
END
$$;

ROLLBACK;
