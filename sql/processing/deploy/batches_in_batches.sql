-- Deploy processing:batches_in_batches to pg
-- requires: allocation
-- requires: invariants

BEGIN;

-- Serves what a batch is made of, through all batches in it: whether it may be
-- shipped, and whether it would contain itself.
CREATE INDEX allocation_of_batches ON allocation (batch_id, barcode)
  WHERE batch_id IS NOT NULL AND source_kind IN ('blendsheet', 'flavorsheet');

CREATE VIEW invariant_batch_in_itself AS
WITH RECURSIVE part (batch_id, part_id) AS (
  SELECT a.batch_id, b.batch_id
  FROM allocation AS a
  JOIN bag AS b ON b.barcode = a.barcode
  WHERE a.batch_id IS NOT NULL AND a.source_kind IN ('blendsheet', 'flavorsheet') AND a.released_at IS NULL
  UNION
  SELECT part.batch_id, b.batch_id
  FROM part
  JOIN allocation AS a ON a.batch_id = part.part_id
    AND a.source_kind IN ('blendsheet', 'flavorsheet') AND a.released_at IS NULL
  JOIN bag AS b ON b.barcode = a.barcode
)
SELECT 'batch ' || batch_id AS thing, 'has something of itself in it'::text AS found
FROM part
WHERE part_id = batch_id;
COMMENT ON VIEW invariant_batch_in_itself IS 'Nothing is made of itself, through whatever batches.';
GRANT SELECT ON invariant_batch_in_itself TO mtp_app, mtp_reader;

COMMIT;
