-- Verify processing:outbox_mark_by_key on pg

BEGIN;

DO $$
BEGIN
  ASSERT pg_get_viewdef('invariant_outbox_mark'::regclass) LIKE '%LATERAL%', 'invariant_outbox_mark reads all things';
END
$$;

ROLLBACK;
