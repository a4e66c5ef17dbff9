-- Deploy sync:outbox_in_order to pg
-- requires: outbox

BEGIN;

-- Serves the relay's poll: due marks of one kind, first news first, read off in
-- their order. An import marks a hundred thousand things in one moment: by the
-- moment alone they are sorted for each batch, and passed by for each other
-- kind. next_attempt_at and the lease stay out of every index, so that leasing
-- is a HOT update.
DROP INDEX sync.outbox_by_since;
CREATE INDEX outbox_by_since ON sync.outbox (kind, since, key);

COMMIT;
