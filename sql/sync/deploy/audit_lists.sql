-- Deploy sync:audit_lists to pg
-- requires: audit_entry

BEGIN;

-- Serves ListActivities: by the time of recording, and its pages. Rows come in
-- nearly that order, so it grows at its right end.
CREATE INDEX entry_by_time ON audit.entry (recorded_at, entry_id);
-- Serve ListEntries and ListActivities of a shipment and of a batch: what was
-- done to its bags names it.
CREATE INDEX entry_naming_shipment ON audit.entry ((change ->> 'shipment'), entry_id) WHERE change ? 'shipment';
CREATE INDEX entry_naming_batch ON audit.entry ((change ->> 'batch_id'), entry_id) WHERE change ? 'batch_id';
-- Serves ListEntries of one request_id. Clients choose ids that are ordered by
-- time, and this is asked for rarely: a summary of each stretch costs the
-- writers nothing.
CREATE INDEX entry_by_request_id ON audit.entry
  USING brin (request_id uuid_minmax_multi_ops) WITH (pages_per_range = 32, autosummarize = on);

COMMIT;
