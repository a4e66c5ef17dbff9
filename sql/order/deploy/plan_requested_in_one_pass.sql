-- Deploy order:plan_requested_in_one_pass to pg
-- requires: invariants

BEGIN;

-- What the shipments ask is summed up for all plans at once: done for each plan
-- by itself, a hundred thousand plans that the planner had no statistics of yet,
-- fresh from an import, read all shipments each.
CREATE OR REPLACE VIEW invariant_plan_requested AS
SELECT 'plan ' || p.order_code AS thing,
       format('requested %s g, its ordinary shipments ask %s g', p.requested_grams, coalesce(asked.grams, 0)) AS found
FROM order_plan AS p
LEFT JOIN (
  SELECT r.plan_order_code AS order_code, sum(s.quantity_grams) AS grams
  FROM order_request AS r
  JOIN shipment AS s USING (request_code)
  WHERE r.planned AND NOT r.special AND NOT s.cancelled
  GROUP BY r.plan_order_code) AS asked USING (order_code)
WHERE p.requested_grams <> coalesce(asked.grams, 0);

COMMIT;
