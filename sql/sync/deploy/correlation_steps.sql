-- Deploy sync:correlation_steps to pg
-- requires: dead_letter
-- requires: exception

BEGIN;

-- Serve ExplainCorrelation. sync.outbox has no such index: it is nearly empty
-- but for an outage, and every change would pay for one.
CREATE INDEX dead_letter_by_correlation_id ON sync.dead_letter USING gin (correlation_ids);
CREATE INDEX exception_by_correlation_id ON sync.exception USING hash (correlation_id);

COMMIT;
