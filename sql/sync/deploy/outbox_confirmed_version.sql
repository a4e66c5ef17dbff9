-- Deploy sync:outbox_confirmed_version to pg
-- requires: outbox

BEGIN;

ALTER TABLE sync.outbox
  ADD COLUMN confirmed_version bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT outbox_confirmed_version_not_negative CHECK (confirmed_version >= 0);
COMMENT ON COLUMN sync.outbox.confirmed_version IS
  'The newest version that the peer has confirmed while the mark stood; a mark whose own version is confirmed is removed.';

COMMIT;
