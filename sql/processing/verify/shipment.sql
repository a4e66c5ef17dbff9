-- Verify processing:shipment on pg

BEGIN;

SELECT
  request_code, shipment_code, order_code, product_name, item_code, quantity_grams, split_from_shipment_code, special,
  approved, closed_short, cancelled, cancel_remarks, cancelled_by, cancelled_by_username, cancelled_by_role,
  cancelled_at, accepted, accept_remarks, accepted_by, accepted_by_username, accepted_by_role, accepted_at,
  received_grams, missing_barcodes, damaged_barcodes, sent_back_barcodes, created_at, order_epoch, order_version,
  order_changed_at, heard_at, status, readiness, readiness_remarks, readiness_by, readiness_by_username,
  readiness_by_role, readiness_at, allocated_grams, recovered_grams, dispatched, dispatch_id, vehicle,
  dispatched_by, dispatched_by_username, dispatched_by_role, dispatched_at, dispatch_recorded_at, dispatched_grams, dispatched_bags,
  manifest_digest, correction_reason, corrected_by, corrected_by_username, corrected_by_role, corrected_at, version,
  changed_at
FROM public.shipment WHERE false;

SELECT
  request_code, shipment_code, correction_id, kind, old_vehicle, new_vehicle, reason, corrected_by,
  corrected_by_username, corrected_by_role, occurred_at, recorded_at, correlation_id
FROM public.dispatch_correction WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 10 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.shipment'::regclass AND convalidated AND conname IN (
      'shipment_allocated_not_negative', 'shipment_allocated_within_quantity', 'shipment_codes_are_positive',
      'shipment_dispatch_is_whole', 'shipment_is_unique', 'shipment_quantity_is_positive',
      'shipment_readiness_is_known', 'shipment_recovered_within_allocated', 'shipment_status_follows_facts',
      'shipment_versions_not_negative')),
    'shipment: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.shipment'::regclass AND i.indisvalid AND c.relname IN (
      'shipment_by_order', 'shipment_by_status')),
    'shipment: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.shipment', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.shipment', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.shipment', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.shipment', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.shipment', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.shipment', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'shipment: grants';
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.dispatch_correction'::regclass AND convalidated AND conname IN (
      'dispatch_correction_has_reason', 'dispatch_correction_is_of_a_shipment', 'dispatch_correction_is_unique',
      'dispatch_correction_kind_is_known')),
    'dispatch_correction: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.dispatch_correction'::regclass AND tgenabled = 'O' AND tgname IN ('dispatch_correction_is_append_only')),
    'dispatch_correction: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.dispatch_correction', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.dispatch_correction', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.dispatch_correction', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.dispatch_correction', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.dispatch_correction', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'dispatch_correction: grants';
END
$$;

ROLLBACK;
