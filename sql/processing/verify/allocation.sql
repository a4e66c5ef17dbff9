-- Verify processing:allocation on pg

BEGIN;

SELECT 'public.refuse_allocation_against_rule()'::regprocedure;

SELECT
  source_kind, target_kind, allowed, version, changed_by, changed_by_username, changed_by_role, changed_at
FROM public.allocation_rule WHERE false;

SELECT
  allocation_id, barcode, source_kind, target_kind, batch_id, request_code, shipment_code, grams, released_grams,
  parcelled_grams, allocated_by, allocated_by_username, allocated_by_role, allocated_at, occurred_at, released_at
FROM public.allocation WHERE false;

SELECT
  allocation_id, release_id, grams, reason, remarks, moved_to, released_by, released_by_username, released_by_role,
  occurred_at, recorded_at, correlation_id
FROM public.allocation_release WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.allocation_rule'::regclass AND convalidated AND conname IN (
      'allocation_rule_is_unique', 'allocation_rule_source_is_known', 'allocation_rule_target_is_known')),
    'allocation_rule: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'public.allocation_rule', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.allocation_rule', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.allocation_rule', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.allocation_rule', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.allocation_rule', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.allocation_rule', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'allocation_rule: grants';
  ASSERT (SELECT count(*) = 10 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.allocation'::regclass AND convalidated AND conname IN (
      'allocation_goes_to_its_batch', 'allocation_goes_to_its_shipment', 'allocation_grams_not_negative',
      'allocation_has_one_target', 'allocation_is_of_a_bag', 'allocation_is_released_when_nothing_is_left',
      'allocation_is_unique', 'allocation_parcels_are_of_shipments', 'allocation_parcels_within_grams',
      'allocation_took_something')),
    'allocation: a constraint is missing';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.allocation'::regclass AND i.indisvalid AND c.relname IN (
      'allocation_by_bag', 'allocation_by_batch', 'allocation_by_shipment')),
    'allocation: an index is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.allocation'::regclass AND tgenabled = 'O' AND tgname IN ('allocation_follows_rules')),
    'allocation: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.allocation', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.allocation', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.allocation', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.allocation', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.allocation', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.allocation', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'allocation: grants';
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.allocation_release'::regclass AND convalidated AND conname IN (
      'allocation_release_is_of_an_allocation', 'allocation_release_is_positive', 'allocation_release_is_unique',
      'allocation_release_move_has_a_goal', 'allocation_release_moves_to_an_allocation',
      'allocation_release_reason_is_known')),
    'allocation_release: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.allocation_release'::regclass AND tgenabled = 'O' AND tgname IN ('allocation_release_is_append_only')),
    'allocation_release: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.allocation_release', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.allocation_release', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.allocation_release', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.allocation_release', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.allocation_release', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'allocation_release: grants';
  ASSERT (SELECT count(*) = 15 FROM public.allocation_rule),
    'allocation_rule: a cell is missing';
END
$$;

ROLLBACK;
