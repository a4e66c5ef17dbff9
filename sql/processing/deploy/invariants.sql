-- Deploy processing:invariants to pg
-- requires: bag_correction
-- requires: bag_dispatch
-- requires: hold
-- requires: parcel
-- requires: sync:invariants

BEGIN;

CREATE VIEW invariant_bag_weight AS
SELECT 'bag ' || b.barcode AS thing,
       format('net %s + sent back %s <> remaining %s + allocated %s + written off %s', b.net_grams,
              coalesce(back.grams, 0), b.remaining_grams, coalesce(given.grams, 0), coalesce(lost.grams, 0)) AS found
FROM bag AS b
LEFT JOIN (SELECT barcode, sum(grams) AS grams FROM allocation GROUP BY barcode) AS given USING (barcode)
LEFT JOIN (SELECT barcode, sum(grams) AS grams FROM write_off GROUP BY barcode) AS lost USING (barcode)
LEFT JOIN (
  SELECT barcode, sum(net_grams) AS grams FROM bag_return WHERE request_code IS NOT NULL GROUP BY barcode) AS back
  USING (barcode)
WHERE b.net_grams + coalesce(back.grams, 0)
      <> b.remaining_grams + coalesce(given.grams, 0) + coalesce(lost.grams, 0)
   OR b.remaining_grams NOT BETWEEN 0 AND b.net_grams;
COMMENT ON VIEW invariant_bag_weight IS 'Weight is conserved in every bag.';

CREATE VIEW invariant_bag_status AS
SELECT 'bag ' || b.barcode AS thing,
       format('status %s, its quantities say %s', b.status, quantities.status) AS found
FROM bag AS b
LEFT JOIN (
  SELECT a.barcode, bool_and(coalesce(s.dispatched, false)) AS all_left
  FROM allocation AS a
  LEFT JOIN shipment AS s ON s.request_code = a.request_code AND s.shipment_code = a.shipment_code
  WHERE a.released_at IS NULL
  GROUP BY a.barcode) AS given USING (barcode)
CROSS JOIN LATERAL (SELECT CASE
  WHEN b.dispatched_by_hand THEN 'DISPATCHED'
  WHEN b.remaining_grams = b.net_grams THEN 'ACCEPTED'
  WHEN b.remaining_grams > 0 THEN 'IN_PROCESS'
  WHEN given.all_left THEN 'DISPATCHED'
  ELSE 'PROCESSED' END AS status) AS quantities
WHERE b.status <> quantities.status;
COMMENT ON VIEW invariant_bag_status IS 'The status of a bag follows its quantities; it is DISPATCHED when all it gave left in shipments.';

CREATE VIEW invariant_herb_rule AS
SELECT 'bag ' || b.barcode AS thing,
       format('a %s in %s, %s herb section', b.kind, l.name, CASE WHEN l.herb_section THEN 'a' ELSE 'no' END) AS found
FROM bag AS b
JOIN location AS l USING (location_id)
WHERE (b.kind = 'herbline') <> l.herb_section;
COMMENT ON VIEW invariant_herb_rule IS 'Herbs lie in herb sections, everything else outside them.';

CREATE VIEW invariant_bag_place AS
SELECT 'bag ' || b.barcode AS thing,
       format('lies in %s, its last move went to %s', b.location_id, coalesce(last.to_location_id::text, 'nowhere')) AS found
FROM bag AS b
LEFT JOIN LATERAL (
  SELECT m.to_location_id
  FROM bag_move AS m
  WHERE m.barcode = b.barcode
  ORDER BY m.move_id DESC
  LIMIT 1) AS last ON true
WHERE b.location_id IS DISTINCT FROM last.to_location_id;
COMMENT ON VIEW invariant_bag_place IS 'Every placement and move was kept.';

CREATE VIEW invariant_bag_held AS
SELECT 'bag ' || b.barcode AS thing,
       CASE WHEN b.held THEN 'held, but no hold has it' ELSE 'not held, but a hold has it' END AS found
FROM bag AS b
WHERE b.held <> EXISTS (SELECT FROM hold_bag AS h WHERE h.barcode = b.barcode AND h.released_at IS NULL);
COMMENT ON VIEW invariant_bag_held IS 'A bag is held while a hold has it.';

CREATE VIEW invariant_bag_correction AS
SELECT 'bag ' || b.barcode AS thing,
       format('gross %s tare %s, its last correction says gross %s tare %s', b.gross_grams, b.tare_grams,
              last.new_gross_grams, last.new_tare_grams) AS found
FROM bag AS b
JOIN LATERAL (
  SELECT c.new_gross_grams, c.new_tare_grams
  FROM bag_correction AS c
  WHERE c.barcode = b.barcode
  ORDER BY c.correction_id DESC
  LIMIT 1) AS last ON true
WHERE (b.gross_grams, b.tare_grams) <> (last.new_gross_grams, last.new_tare_grams);
COMMENT ON VIEW invariant_bag_correction IS 'A corrected bag weighs what its last correction says.';

CREATE VIEW invariant_item_received AS
SELECT i.kind || ' ' || i.item_code AS thing,
       format('received %s bags %s g, its bags are %s with %s g', i.received_bags, i.received_grams, count(b.barcode),
              coalesce(sum(b.net_grams), 0)) AS found
FROM item AS i
LEFT JOIN bag AS b USING (item_id)
GROUP BY i.item_id
HAVING i.received_bags <> count(b.barcode) OR i.received_grams <> coalesce(sum(b.net_grams), 0);
COMMENT ON VIEW invariant_item_received IS 'A lot counts its bags.';

CREATE VIEW invariant_item_has_detail AS
SELECT i.kind || ' ' || i.item_code AS thing, 'nothing is said of it' AS found
FROM item AS i
WHERE NOT EXISTS (SELECT FROM tealine AS d WHERE d.item_id = i.item_id)
  AND NOT EXISTS (SELECT FROM herbline AS d WHERE d.item_id = i.item_id)
  AND NOT EXISTS (SELECT FROM blendbalance AS d WHERE d.item_id = i.item_id);
COMMENT ON VIEW invariant_item_has_detail IS 'An item has its row in the table of its kind.';

CREATE VIEW invariant_recipe_batches AS
SELECT format('recipe %s revision %s', v.recipe_id, v.revision) AS thing,
       format('%s batches opened, it has %s', v.opened_batches, count(b.batch_id)) AS found
FROM recipe_revision AS v
LEFT JOIN batch AS b USING (recipe_id, revision)
GROUP BY v.recipe_id, v.revision
HAVING v.opened_batches <> count(b.batch_id);
COMMENT ON VIEW invariant_recipe_batches IS 'A revision counts its batches.';

CREATE VIEW invariant_recipe_revision AS
SELECT format('%s %s', r.kind, r.number) AS thing,
       format('revision %s, the latest is %s; next batch number %s, %s batches opened', r.revision,
              coalesce(max(v.revision)::text, 'none'), r.next_batch_number, coalesce(sum(v.opened_batches), 0)) AS found
FROM recipe AS r
LEFT JOIN recipe_revision AS v USING (recipe_id)
GROUP BY r.recipe_id
HAVING r.revision IS DISTINCT FROM max(v.revision)
    OR r.next_batch_number <> 1 + coalesce(sum(v.opened_batches), 0);
COMMENT ON VIEW invariant_recipe_revision IS 'A recipe knows its latest revision and its next batch.';

CREATE VIEW invariant_batch_in AS
SELECT 'batch ' || b.batch_id AS thing,
       format('in %s g, opening %s g and allocations %s g', b.in_grams, b.opening_grams, coalesce(sum(a.grams), 0)) AS found
FROM batch AS b
LEFT JOIN allocation AS a ON a.batch_id = b.batch_id AND a.released_at IS NULL
GROUP BY b.batch_id
HAVING b.in_grams <> b.opening_grams + coalesce(sum(a.grams), 0);
COMMENT ON VIEW invariant_batch_in IS 'What went into a batch is what was allocated to it.';

CREATE VIEW invariant_batch_out AS
SELECT 'batch ' || b.batch_id AS thing,
       format('out %s bags %s g, its bags are %s with %s g', b.out_bags, b.out_grams, count(bag.barcode),
              coalesce(sum(bag.net_grams), 0)) AS found
FROM batch AS b
LEFT JOIN bag USING (batch_id)
GROUP BY b.batch_id
HAVING b.out_bags <> count(bag.barcode) OR b.out_grams <> coalesce(sum(bag.net_grams), 0);
COMMENT ON VIEW invariant_batch_out IS 'What came out of a batch is what its bags weigh.';

CREATE VIEW invariant_batch_trader_state AS
SELECT 'batch ' || b.batch_id AS thing,
       format('state %s, its decisions say %s', coalesce(b.trader_state, 'none'), coalesce(last.to_state, 'none')) AS found
FROM batch AS b
LEFT JOIN LATERAL (
  -- A batch passes these states in this order, whatever it leaves out.
  SELECT d.to_state
  FROM trader_decision AS d
  WHERE d.batch_id = b.batch_id
  ORDER BY array_position(ARRAY['TRADER_PENDING', 'TRADER_REQUESTED', 'TRADER_ELEVATED', 'TRADER_ALLOWED',
                                'TRADER_BLOCKED'], d.to_state) DESC
  LIMIT 1) AS last ON true
WHERE b.trader_state IS DISTINCT FROM last.to_state;
COMMENT ON VIEW invariant_batch_trader_state IS 'The approval of a batch is what was last decided.';

CREATE VIEW invariant_batch_is_measured AS
SELECT 'batch ' || b.batch_id AS thing, b.trader_state || ', but never measured' AS found
FROM batch AS b
WHERE b.trader_state IS NOT NULL
  AND NOT EXISTS (SELECT FROM measurement AS m WHERE m.batch_id = b.batch_id);
COMMENT ON VIEW invariant_batch_is_measured IS 'No approval without a measurement.';

CREATE VIEW invariant_shipment_allocated AS
SELECT format('shipment %s/%s', s.request_code, s.shipment_code) AS thing,
       format('allocated %s g, recovered %s g and allocations %s g', s.allocated_grams, s.recovered_grams,
              coalesce(given.grams, 0)) AS found
FROM shipment AS s
LEFT JOIN (
  SELECT request_code, shipment_code, sum(grams) AS grams
  FROM allocation
  WHERE released_at IS NULL AND request_code IS NOT NULL
  GROUP BY request_code, shipment_code) AS given USING (request_code, shipment_code)
WHERE s.allocated_grams <> s.recovered_grams + coalesce(given.grams, 0)
   OR NOT s.dispatched AND s.allocated_grams > CASE WHEN s.cancelled THEN 0 ELSE s.quantity_grams END;
COMMENT ON VIEW invariant_shipment_allocated IS 'A shipment has what was allocated to it, and before it left no more than it needs.';

CREATE VIEW invariant_shipment_dispatch AS
SELECT format('shipment %s/%s', s.request_code, s.shipment_code) AS thing,
       format('dispatched %s bags %s g, allocated %s bags %s g', s.dispatched_bags, s.dispatched_grams,
              coalesce(given.bags, 0), s.allocated_grams) AS found
FROM shipment AS s
LEFT JOIN (
  SELECT request_code, shipment_code, count(DISTINCT barcode) AS bags
  FROM allocation
  WHERE released_at IS NULL AND request_code IS NOT NULL
  GROUP BY request_code, shipment_code) AS given USING (request_code, shipment_code)
WHERE s.dispatched AND s.recovered_grams = 0
  AND (s.dispatched_grams <> s.allocated_grams OR s.dispatched_bags <> coalesce(given.bags, 0));
COMMENT ON VIEW invariant_shipment_dispatch IS 'What left is what was allocated.';

CREATE VIEW invariant_shipment_status AS
SELECT format('shipment %s/%s', s.request_code, s.shipment_code) AS thing,
       format('status %s, its facts say %s', s.status, facts.status) AS found
FROM shipment AS s
CROSS JOIN LATERAL (SELECT CASE
  WHEN s.accepted THEN 'SHIPMENT_ACCEPTED'
  WHEN s.dispatched THEN 'SHIPMENT_DISPATCHED'
  WHEN s.cancelled THEN 'SHIPMENT_CANCELLED'
  WHEN NOT s.approved THEN 'APPROVAL_REQUESTED'
  WHEN s.readiness = 'READY' THEN 'ORDER_READY'
  WHEN s.readiness = 'NOT_READY' THEN 'ORDER_NOT_READY'
  ELSE 'ORDER_REQUESTED' END AS status) AS facts
WHERE s.status <> facts.status;
COMMENT ON VIEW invariant_shipment_status IS 'The status is what the facts of both sides make it.';

CREATE VIEW invariant_allocation_release AS
SELECT 'allocation ' || a.allocation_id AS thing,
       format('gave back %s g, its releases say %s g', a.released_grams, coalesce(sum(r.grams), 0)) AS found
FROM allocation AS a
LEFT JOIN allocation_release AS r USING (allocation_id)
GROUP BY a.allocation_id
HAVING a.released_grams <> coalesce(sum(r.grams), 0);
COMMENT ON VIEW invariant_allocation_release IS 'Whatever was given back was kept.';

CREATE VIEW invariant_allocation_parcels AS
SELECT 'allocation ' || a.allocation_id AS thing,
       format('%s g, parcelled %s g, its parcels are %s g', a.grams, a.parcelled_grams, coalesce(made.grams, 0)) AS found
FROM allocation AS a
LEFT JOIN (SELECT allocation_id, sum(grams) AS grams FROM parcel WHERE released_at IS NULL GROUP BY allocation_id) AS made
  USING (allocation_id)
WHERE a.parcelled_grams <> coalesce(made.grams, 0) OR a.parcelled_grams > a.grams;
COMMENT ON VIEW invariant_allocation_parcels IS 'Parcels stay within the allocation they are parts of.';

CREATE VIEW invariant_schedule_parcels AS
SELECT 'schedule ' || s.schedule_code AS thing,
       format('%s parcels %s g, its parcels are %s with %s g', s.parcel_count, s.parcel_grams, count(p.parcel_id),
              coalesce(sum(p.grams), 0)) AS found
FROM schedule AS s
LEFT JOIN parcel AS p ON p.schedule_code = s.schedule_code AND p.released_at IS NULL
GROUP BY s.schedule_code
HAVING s.parcel_count <> count(p.parcel_id) OR s.parcel_grams <> coalesce(sum(p.grams), 0);
COMMENT ON VIEW invariant_schedule_parcels IS 'A schedule counts its parcels.';

CREATE VIEW invariant_parcel_order AS
SELECT 'parcel ' || p.parcel_id AS thing,
       format('order %s of shipment %s/%s, schedule of order %s', s.order_code, s.request_code, s.shipment_code,
              c.order_code) AS found
FROM parcel AS p
JOIN allocation AS a USING (allocation_id)
JOIN schedule AS c USING (schedule_code)
LEFT JOIN shipment AS s ON s.request_code = a.request_code AND s.shipment_code = a.shipment_code
WHERE p.released_at IS NULL
  AND (s.order_code IS DISTINCT FROM c.order_code OR NOT s.accepted OR a.released_at IS NOT NULL);
COMMENT ON VIEW invariant_parcel_order IS 'A parcel is of an accepted shipment of the schedule''s order.';

CREATE VIEW invariant_outbox_mark AS
SELECT format('mark %s %s', o.kind, o.key) AS thing,
       format('marked version %s, the thing has %s', o.version, coalesce(thing.version::text, 'none')) AS found
FROM sync.outbox AS o
LEFT JOIN (
  SELECT 'shipment_progress' AS kind, request_code || '/' || shipment_code AS key, version FROM shipment
  UNION ALL SELECT 'schedule_progress', schedule_code::text, version FROM schedule
  UNION ALL SELECT 'seal', seal_number::text, seal_number FROM audit.seal) AS thing USING (kind, key)
WHERE o.version > thing.version OR thing.version IS NULL;
COMMENT ON VIEW invariant_outbox_mark IS 'What is marked for the peer exists here, in that version or a later one.';

GRANT SELECT ON invariant_bag_weight, invariant_bag_status, invariant_herb_rule, invariant_bag_place, invariant_bag_held,
  invariant_bag_correction, invariant_item_received, invariant_item_has_detail, invariant_recipe_batches,
  invariant_recipe_revision, invariant_batch_in, invariant_batch_out, invariant_batch_trader_state,
  invariant_batch_is_measured, invariant_shipment_allocated, invariant_shipment_dispatch, invariant_shipment_status,
  invariant_allocation_release, invariant_allocation_parcels, invariant_schedule_parcels, invariant_parcel_order,
  invariant_outbox_mark
  TO mtp_app, mtp_reader;

COMMIT;
