-- Verify order:invariants on pg

BEGIN;

SELECT thing, found FROM public.invariant_plan_requested WHERE false;

SELECT thing, found FROM public.invariant_request_quantity WHERE false;

SELECT thing, found FROM public.invariant_request_shipment_code WHERE false;

SELECT thing, found FROM public.invariant_shipment_is_of_its_request WHERE false;

SELECT thing, found FROM public.invariant_shipment_status WHERE false;

SELECT thing, found FROM public.invariant_shipment_event WHERE false;

SELECT thing, found FROM public.invariant_outbox_mark WHERE false;

SELECT thing, found FROM admin.invariant_disabled_user_is_out WHERE false;

DO $$
BEGIN
  ASSERT has_table_privilege('mtp_app', 'public.invariant_plan_requested', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_plan_requested', 'SELECT'),
    'invariant_plan_requested: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_request_quantity', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_request_quantity', 'SELECT'),
    'invariant_request_quantity: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_request_shipment_code', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_request_shipment_code', 'SELECT'),
    'invariant_request_shipment_code: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_shipment_is_of_its_request', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_shipment_is_of_its_request', 'SELECT'),
    'invariant_shipment_is_of_its_request: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_shipment_status', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_shipment_status', 'SELECT'),
    'invariant_shipment_status: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_shipment_event', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_shipment_event', 'SELECT'),
    'invariant_shipment_event: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_outbox_mark', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_outbox_mark', 'SELECT'),
    'invariant_outbox_mark: grants';
  ASSERT has_table_privilege('mtp_app', 'admin.invariant_disabled_user_is_out', 'SELECT')
    AND has_table_privilege('mtp_reader', 'admin.invariant_disabled_user_is_out', 'SELECT'),
    'admin.invariant_disabled_user_is_out: grants';
END
$$;

ROLLBACK;
