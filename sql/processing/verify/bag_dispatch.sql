-- Verify processing:bag_dispatch on pg

BEGIN;

SELECT
  barcode, dispatch_id, remaining_grams, reason, vehicle, dispatched_by, dispatched_by_username, dispatched_by_role,
  occurred_at, recorded_at, correlation_id
FROM public.bag_dispatch WHERE false;

SELECT
  barcode, return_id, request_code, shipment_code, net_grams, location_id, remarks, received_by, received_by_username,
  received_by_role, occurred_at, recorded_at, correlation_id
FROM public.bag_return WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.bag_dispatch'::regclass AND convalidated AND conname IN (
      'bag_dispatch_has_reason', 'bag_dispatch_is_of_a_bag', 'bag_dispatch_is_unique', 'bag_dispatch_takes_something')),
    'bag_dispatch: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.bag_dispatch'::regclass AND tgenabled = 'O' AND tgname IN ('bag_dispatch_is_append_only')),
    'bag_dispatch: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.bag_dispatch', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.bag_dispatch', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.bag_dispatch', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.bag_dispatch', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.bag_dispatch', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'bag_dispatch: grants';
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.bag_return'::regclass AND convalidated AND conname IN (
      'bag_return_is_from_its_shipment', 'bag_return_is_of_a_bag', 'bag_return_is_positive', 'bag_return_is_unique',
      'bag_return_lies_in_a_location', 'bag_return_names_a_shipment_whole')),
    'bag_return: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.bag_return'::regclass AND i.indisvalid AND c.relname IN (
      'bag_return_by_shipment')),
    'bag_return: an index is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.bag_return'::regclass AND tgenabled = 'O' AND tgname IN ('bag_return_is_append_only')),
    'bag_return: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.bag_return', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.bag_return', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.bag_return', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.bag_return', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.bag_return', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'bag_return: grants';
END
$$;

ROLLBACK;
