-- Verify order:shipment_difference on pg

BEGIN;

SELECT
  request_code, shipment_code, barcode, kind, recorded_at
FROM public.shipment_difference WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.shipment_difference'::regclass AND convalidated AND conname IN (
      'shipment_difference_is_of_a_shipment', 'shipment_difference_is_one_per_bag',
      'shipment_difference_kind_is_known')),
    'shipment_difference: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.shipment_difference'::regclass AND tgenabled = 'O' AND tgname IN ('shipment_difference_is_append_only')),
    'shipment_difference: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.shipment_difference', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.shipment_difference', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.shipment_difference', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.shipment_difference', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.shipment_difference', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'shipment_difference: grants';
END
$$;

ROLLBACK;
