-- Revert order:outbox_mark_by_key from pg

BEGIN;

CREATE OR REPLACE VIEW invariant_outbox_mark AS
SELECT format('mark %s %s', o.kind, o.key) AS thing,
       format('marked version %s, the thing has %s', o.version, coalesce(thing.version::text, 'none')) AS found
FROM sync.outbox AS o
LEFT JOIN (
  SELECT 'shipment' AS kind, request_code || '/' || shipment_code AS key, version FROM shipment
  UNION ALL SELECT 'schedule', schedule_code::text, version FROM schedule
  UNION ALL SELECT 'revocation', subject::text, version FROM admin.revocation
  UNION ALL SELECT 'seal', seal_number::text, seal_number FROM audit.seal) AS thing USING (kind, key)
WHERE o.version > thing.version OR thing.version IS NULL;

COMMIT;
