-- Deploy sync:invariants to pg
-- requires: sync_schema

BEGIN;

-- An invariant is a view invariant_* with the columns (thing text, found text),
-- empty when all is well. STABLE: all views are read in the caller's snapshot.
CREATE FUNCTION sync.invariant_violations()
RETURNS TABLE (invariant text, thing text, found text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT n.nspname, c.relname
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'v' AND c.relname LIKE 'invariant\_%'
      AND n.nspname IN ('public', 'admin', 'sync', 'audit')
    ORDER BY c.relname
  LOOP
    RETURN QUERY EXECUTE format('SELECT %L::text, v.thing, v.found FROM %I.%I AS v',
                                one.relname, one.nspname, one.relname);
  END LOOP;
END
$$;
COMMENT ON FUNCTION sync.invariant_violations() IS 'What the invariant_* views find; no row when all is well.';

COMMIT;
