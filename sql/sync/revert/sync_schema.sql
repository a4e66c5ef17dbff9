-- Revert sync:sync_schema from pg

BEGIN;

DROP FUNCTION sync.refuse_change();
DROP SCHEMA sync;

COMMIT;
