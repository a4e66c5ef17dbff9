-- Verify order:shipment_event on pg

BEGIN;

SELECT
  request_code, shipment_code, event_number, event_id, cause, from_status, to_status, quantity_grams, remarks,
  vehicle, said_by, said_by_username, said_by_role, occurred_at, recorded_at, recovered, correlation_id
FROM public.shipment_event WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.shipment_event'::regclass AND convalidated AND conname IN (
      'shipment_event_cause_is_known', 'shipment_event_is_of_a_shipment', 'shipment_event_is_unique',
      'shipment_event_number_is_unique', 'shipment_event_quantity_is_positive', 'shipment_event_statuses_are_known')),
    'shipment_event: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.shipment_event'::regclass AND tgenabled = 'O' AND tgname IN ('shipment_event_is_append_only')),
    'shipment_event: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.shipment_event', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.shipment_event', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.shipment_event', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.shipment_event', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.shipment_event', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'shipment_event: grants';
END
$$;

ROLLBACK;
