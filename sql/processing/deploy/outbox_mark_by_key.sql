-- Deploy processing:outbox_mark_by_key to pg
-- requires: invariants

BEGIN;

-- The thing of each mark is found by its key: read whole for each mark, as the
-- planner thinks right for an outbox that is empty most of the time, a hundred
-- thousand marks were never done.
CREATE OR REPLACE VIEW invariant_outbox_mark AS
SELECT format('mark %s %s', o.kind, o.key) AS thing,
       format('marked version %s, the thing has %s', o.version, coalesce(thing.version::text, 'none')) AS found
FROM sync.outbox AS o
LEFT JOIN LATERAL (
  SELECT version FROM shipment
  WHERE request_code = CASE WHEN o.kind = 'shipment_progress' THEN split_part(o.key, '/', 1)::bigint END
    AND shipment_code = CASE WHEN o.kind = 'shipment_progress' THEN split_part(o.key, '/', 2)::bigint END
  UNION ALL
  SELECT version FROM schedule WHERE schedule_code = CASE WHEN o.kind = 'schedule_progress' THEN o.key::bigint END
  UNION ALL
  SELECT seal_number FROM audit.seal WHERE seal_number = CASE WHEN o.kind = 'seal' THEN o.key::bigint END) AS thing ON true
WHERE o.version > thing.version OR thing.version IS NULL;

COMMIT;
