-- Revert processing:batches_in_batches from pg

BEGIN;

DROP VIEW invariant_batch_in_itself;
DROP INDEX allocation_of_batches;

COMMIT;
