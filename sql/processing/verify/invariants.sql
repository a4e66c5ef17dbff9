-- Verify processing:invariants on pg

BEGIN;

SELECT thing, found FROM public.invariant_bag_weight WHERE false;

SELECT thing, found FROM public.invariant_bag_status WHERE false;

SELECT thing, found FROM public.invariant_herb_rule WHERE false;

SELECT thing, found FROM public.invariant_bag_place WHERE false;

SELECT thing, found FROM public.invariant_bag_held WHERE false;

SELECT thing, found FROM public.invariant_bag_correction WHERE false;

SELECT thing, found FROM public.invariant_item_received WHERE false;

SELECT thing, found FROM public.invariant_item_has_detail WHERE false;

SELECT thing, found FROM public.invariant_recipe_batches WHERE false;

SELECT thing, found FROM public.invariant_recipe_revision WHERE false;

SELECT thing, found FROM public.invariant_batch_in WHERE false;

SELECT thing, found FROM public.invariant_batch_out WHERE false;

SELECT thing, found FROM public.invariant_batch_trader_state WHERE false;

SELECT thing, found FROM public.invariant_batch_is_measured WHERE false;

SELECT thing, found FROM public.invariant_shipment_allocated WHERE false;

SELECT thing, found FROM public.invariant_shipment_dispatch WHERE false;

SELECT thing, found FROM public.invariant_shipment_status WHERE false;

SELECT thing, found FROM public.invariant_allocation_release WHERE false;

SELECT thing, found FROM public.invariant_allocation_parcels WHERE false;

SELECT thing, found FROM public.invariant_schedule_parcels WHERE false;

SELECT thing, found FROM public.invariant_parcel_order WHERE false;

SELECT thing, found FROM public.invariant_outbox_mark WHERE false;

DO $$
BEGIN
  ASSERT has_table_privilege('mtp_app', 'public.invariant_bag_weight', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_bag_weight', 'SELECT'),
    'invariant_bag_weight: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_bag_status', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_bag_status', 'SELECT'),
    'invariant_bag_status: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_herb_rule', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_herb_rule', 'SELECT'),
    'invariant_herb_rule: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_bag_place', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_bag_place', 'SELECT'),
    'invariant_bag_place: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_bag_held', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_bag_held', 'SELECT'),
    'invariant_bag_held: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_bag_correction', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_bag_correction', 'SELECT'),
    'invariant_bag_correction: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_item_received', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_item_received', 'SELECT'),
    'invariant_item_received: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_item_has_detail', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_item_has_detail', 'SELECT'),
    'invariant_item_has_detail: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_recipe_batches', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_recipe_batches', 'SELECT'),
    'invariant_recipe_batches: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_recipe_revision', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_recipe_revision', 'SELECT'),
    'invariant_recipe_revision: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_batch_in', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_batch_in', 'SELECT'),
    'invariant_batch_in: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_batch_out', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_batch_out', 'SELECT'),
    'invariant_batch_out: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_batch_trader_state', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_batch_trader_state', 'SELECT'),
    'invariant_batch_trader_state: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_batch_is_measured', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_batch_is_measured', 'SELECT'),
    'invariant_batch_is_measured: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_shipment_allocated', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_shipment_allocated', 'SELECT'),
    'invariant_shipment_allocated: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_shipment_dispatch', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_shipment_dispatch', 'SELECT'),
    'invariant_shipment_dispatch: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_shipment_status', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_shipment_status', 'SELECT'),
    'invariant_shipment_status: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_allocation_release', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_allocation_release', 'SELECT'),
    'invariant_allocation_release: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_allocation_parcels', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_allocation_parcels', 'SELECT'),
    'invariant_allocation_parcels: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_schedule_parcels', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_schedule_parcels', 'SELECT'),
    'invariant_schedule_parcels: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_parcel_order', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_parcel_order', 'SELECT'),
    'invariant_parcel_order: grants';
  ASSERT has_table_privilege('mtp_app', 'public.invariant_outbox_mark', 'SELECT')
    AND has_table_privilege('mtp_reader', 'public.invariant_outbox_mark', 'SELECT'),
    'invariant_outbox_mark: grants';
END
$$;

ROLLBACK;
