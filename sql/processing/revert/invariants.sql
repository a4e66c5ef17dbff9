-- Revert processing:invariants from pg

BEGIN;

DROP VIEW invariant_outbox_mark, invariant_parcel_order, invariant_schedule_parcels, invariant_allocation_parcels,
  invariant_allocation_release, invariant_bag_held,
  invariant_shipment_status, invariant_shipment_dispatch, invariant_shipment_allocated, invariant_batch_is_measured,
  invariant_batch_trader_state, invariant_batch_out, invariant_batch_in, invariant_recipe_revision,
  invariant_recipe_batches, invariant_item_has_detail, invariant_item_received, invariant_bag_correction,
  invariant_bag_place, invariant_herb_rule, invariant_bag_status, invariant_bag_weight;

COMMIT;
