-- Revert order:invariants from pg

BEGIN;

DROP VIEW admin.invariant_disabled_user_is_out, invariant_outbox_mark, invariant_shipment_event,
  invariant_shipment_status, invariant_shipment_is_of_its_request, invariant_request_shipment_code,
  invariant_request_quantity, invariant_plan_requested;

COMMIT;
