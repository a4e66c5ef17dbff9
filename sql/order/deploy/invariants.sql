-- Deploy order:invariants to pg
-- requires: order_plan
-- requires: order_request
-- requires: shipment
-- requires: shipment_event
-- requires: schedule
-- requires: session
-- requires: revocation
-- requires: sync:invariants

BEGIN;

CREATE VIEW invariant_plan_requested AS
SELECT 'plan ' || p.order_code AS thing,
       format('requested %s g, its ordinary shipments ask %s g', p.requested_grams, asked.grams) AS found
FROM order_plan AS p
LEFT JOIN LATERAL (
  SELECT coalesce(sum(s.quantity_grams), 0)::bigint AS grams
  FROM order_request AS r
  JOIN shipment AS s USING (request_code)
  WHERE r.plan_order_code = p.order_code AND NOT r.special AND NOT s.cancelled) AS asked ON true
WHERE p.requested_grams <> asked.grams;
COMMENT ON VIEW invariant_plan_requested IS 'A plan counts its ordinary shipments that are not cancelled.';

CREATE VIEW invariant_request_quantity AS
SELECT 'request ' || r.request_code AS thing,
       format('asked %s g, its shipments carry %s g', r.requirement_grams, coalesce(sum(s.quantity_grams), 0)) AS found
FROM order_request AS r
LEFT JOIN shipment AS s USING (request_code)
GROUP BY r.request_code
HAVING r.requirement_grams <> coalesce(sum(s.quantity_grams), 0);
COMMENT ON VIEW invariant_request_quantity IS 'Splits neither lose nor make a gram.';

CREATE VIEW invariant_request_shipment_code AS
SELECT 'request ' || r.request_code AS thing,
       format('next shipment code %s, highest given %s', r.next_shipment_code, max(s.shipment_code)) AS found
FROM order_request AS r
JOIN shipment AS s USING (request_code)
GROUP BY r.request_code
HAVING r.next_shipment_code <= max(s.shipment_code);
COMMENT ON VIEW invariant_request_shipment_code IS 'No shipment code is given twice.';

CREATE VIEW invariant_shipment_is_of_its_request AS
SELECT format('shipment %s/%s', s.request_code, s.shipment_code) AS thing,
       format('order %s special %s, its request order %s special %s', s.order_code, s.special, r.order_code, r.special) AS found
FROM shipment AS s
JOIN order_request AS r USING (request_code)
WHERE (s.order_code, s.special) <> (r.order_code, r.special);
COMMENT ON VIEW invariant_shipment_is_of_its_request IS 'A shipment is of the order of its request, and special as it is.';

CREATE VIEW invariant_shipment_status AS
SELECT format('shipment %s/%s', s.request_code, s.shipment_code) AS thing,
       format('status %s, its facts say %s', s.status, facts.status) AS found
FROM shipment AS s
CROSS JOIN LATERAL (SELECT CASE
  WHEN s.accepted THEN 'SHIPMENT_ACCEPTED'
  WHEN s.dispatched THEN 'SHIPMENT_DISPATCHED'
  WHEN s.cancelled THEN 'SHIPMENT_CANCELLED'
  WHEN s.approval = 'REQUESTED' THEN 'APPROVAL_REQUESTED'
  WHEN s.approval = 'DENIED' THEN 'APPROVAL_DENIED'
  WHEN s.readiness = 'READY' THEN 'ORDER_READY'
  WHEN s.readiness = 'NOT_READY' THEN 'ORDER_NOT_READY'
  ELSE 'ORDER_REQUESTED' END AS status) AS facts
WHERE s.status <> facts.status;
COMMENT ON VIEW invariant_shipment_status IS 'The status is what the facts of both sides make it.';

CREATE VIEW invariant_shipment_event AS
SELECT format('shipment %s/%s', s.request_code, s.shipment_code) AS thing,
       format('status %s, its last event says %s', s.status, coalesce(last.to_status, 'nothing')) AS found
FROM shipment AS s
LEFT JOIN LATERAL (
  SELECT e.to_status
  FROM shipment_event AS e
  WHERE e.request_code = s.request_code AND e.shipment_code = s.shipment_code
  ORDER BY e.event_number DESC
  LIMIT 1) AS last ON true
WHERE s.status IS DISTINCT FROM last.to_status;
COMMENT ON VIEW invariant_shipment_event IS 'Every transition was kept as an event.';

CREATE VIEW invariant_outbox_mark AS
SELECT format('mark %s %s', o.kind, o.key) AS thing,
       format('marked version %s, the thing has %s', o.version, coalesce(thing.version::text, 'none')) AS found
FROM sync.outbox AS o
LEFT JOIN (
  SELECT 'shipment' AS kind, request_code || '/' || shipment_code AS key, version FROM shipment
  UNION ALL SELECT 'schedule', schedule_code::text, version FROM schedule
  UNION ALL SELECT 'revocation', subject::text, version FROM admin.revocation
  UNION ALL SELECT 'seal', seal_number::text, seal_number FROM audit.seal) AS thing USING (kind, key)
WHERE o.version > thing.version OR thing.version IS NULL;
COMMENT ON VIEW invariant_outbox_mark IS 'What is marked for the peer exists here, in that version or a later one.';

CREATE VIEW admin.invariant_disabled_user_is_out AS
SELECT 'user ' || u.username AS thing,
       CASE WHEN r.subject IS NULL THEN 'disabled, but not revoked' ELSE 'disabled, but signed in' END AS found
FROM admin.user_account AS u
LEFT JOIN admin.revocation AS r ON r.subject = u.subject AND r.disabled
WHERE u.disabled
  AND (r.subject IS NULL
       OR EXISTS (SELECT FROM admin.session AS s WHERE s.subject = u.subject AND s.ended_at IS NULL));
COMMENT ON VIEW admin.invariant_disabled_user_is_out IS 'A disabled user is revoked and has no session.';

GRANT SELECT ON invariant_plan_requested, invariant_request_quantity, invariant_request_shipment_code,
  invariant_shipment_is_of_its_request, invariant_shipment_status, invariant_shipment_event, invariant_outbox_mark,
  admin.invariant_disabled_user_is_out TO mtp_app, mtp_reader;

COMMIT;
