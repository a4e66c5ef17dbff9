-- Deploy sync:outbox_poisoned_version to pg
-- requires: outbox

BEGIN;

ALTER TABLE sync.outbox
  ADD COLUMN poisoned_version bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT outbox_poisoned_version_not_negative CHECK (poisoned_version >= 0);
COMMENT ON COLUMN sync.outbox.poisoned_version IS
  'The newest version that the peer called POISON: it is offered again at long intervals, until an operator of the peer has settled it.';

-- What was never to be offered again.
UPDATE sync.outbox SET poisoned_version = version, next_attempt_at = now()
WHERE next_attempt_at = 'infinity';

COMMIT;
