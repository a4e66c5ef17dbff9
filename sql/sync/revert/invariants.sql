-- Revert sync:invariants from pg

BEGIN;

DROP FUNCTION sync.invariant_violations();

COMMIT;
