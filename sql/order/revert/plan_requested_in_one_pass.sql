-- Revert order:plan_requested_in_one_pass from pg

BEGIN;

CREATE OR REPLACE VIEW invariant_plan_requested AS
SELECT 'plan ' || p.order_code AS thing,
       format('requested %s g, its ordinary shipments ask %s g', p.requested_grams, asked.grams) AS found
FROM order_plan AS p
LEFT JOIN LATERAL (
  SELECT coalesce(sum(s.quantity_grams), 0)::bigint AS grams
  FROM order_request AS r
  JOIN shipment AS s USING (request_code)
  WHERE r.plan_order_code = p.order_code AND NOT r.special AND NOT s.cancelled) AS asked ON true
WHERE p.requested_grams <> asked.grams;

COMMIT;
