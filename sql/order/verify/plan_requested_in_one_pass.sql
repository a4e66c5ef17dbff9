-- Verify order:plan_requested_in_one_pass on pg

BEGIN;

DO $$
BEGIN
  ASSERT pg_get_viewdef('invariant_plan_requested'::regclass) NOT LIKE '%LATERAL%',
    'invariant_plan_requested sums up plan by plan';
END
$$;

ROLLBACK;
