-- Verify sync:invariants on pg

BEGIN;

SELECT 'sync.invariant_violations()'::regprocedure;

DO $$
BEGIN

END
$$;

ROLLBACK;
