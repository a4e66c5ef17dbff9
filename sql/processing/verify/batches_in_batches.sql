-- Verify processing:batches_in_batches on pg

BEGIN;

SELECT thing, found FROM invariant_batch_in_itself WHERE false;
DO $$
BEGIN
  ASSERT to_regclass('public.allocation_of_batches') IS NOT NULL, 'allocation_of_batches is missing';
  ASSERT has_table_privilege('mtp_app', 'invariant_batch_in_itself', 'SELECT'), 'mtp_app cannot read the invariant';
END
$$;

ROLLBACK;
