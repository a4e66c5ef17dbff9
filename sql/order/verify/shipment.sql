-- Verify order:shipment on pg

BEGIN;

SELECT
  request_code, shipment_code, order_code, product_name, item_code, quantity_grams, split_from_shipment_code, status,
  special, approval, approval_remarks, approval_by, approval_by_username, approval_by_role, approval_at, cancelled,
  cancel_remarks, cancelled_by, cancelled_by_username, cancelled_by_role, cancelled_at, accepted, accept_remarks,
  accepted_by, accepted_by_username, accepted_by_role, accepted_at, accept_recorded_at, received_grams, closed_short,
  recovered, version, changed_at, created_at, updated_at, progress_epoch, progress_version, progress_changed_at,
  progress_heard_at, readiness, readiness_remarks, readiness_by, readiness_by_username, readiness_by_role,
  readiness_at, allocated_grams, dispatched, dispatch_vehicle, dispatched_at, dispatched_by, dispatched_by_username,
  dispatched_by_role, dispatched_grams, dispatched_bags, manifest_digest, correction_reason, corrected_by,
  corrected_by_username, corrected_by_role, corrected_at
FROM public.shipment WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 14 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.shipment'::regclass AND convalidated AND conname IN (
      'shipment_acceptance_has_times', 'shipment_approval_is_known', 'shipment_cancellation_has_time',
      'shipment_code_is_positive', 'shipment_is_of_a_request', 'shipment_is_unique', 'shipment_progress_not_negative',
      'shipment_quantity_is_positive', 'shipment_readiness_is_known', 'shipment_received_not_negative',
      'shipment_special_is_approved_or_not', 'shipment_split_is_from_an_earlier_one', 'shipment_status_follows_facts',
      'shipment_version_is_positive')),
    'shipment: a constraint is missing';
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.shipment'::regclass AND i.indisvalid AND c.relname IN (
      'shipment_by_created_at', 'shipment_by_order', 'shipment_by_product', 'shipment_by_status',
      'shipment_by_vehicle')),
    'shipment: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.shipment', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.shipment', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.shipment', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.shipment', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.shipment', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.shipment', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'shipment: grants';
END
$$;

ROLLBACK;
