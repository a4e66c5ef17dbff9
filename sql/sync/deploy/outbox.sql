-- Deploy sync:outbox to pg
-- requires: sync_schema

BEGIN;

CREATE TABLE sync.outbox (
  kind            text        NOT NULL,
  key             text        NOT NULL,
  version         bigint      NOT NULL,
  correlation_ids text[]      NOT NULL DEFAULT '{}',
  since           timestamptz NOT NULL DEFAULT now(),
  attempts        bigint      NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  last_error      text,
  lease_token     bigint,
  leased_until    timestamptz,
  lease_pid       integer,
  CONSTRAINT outbox_marks_a_thing_once PRIMARY KEY (kind, key),
  CONSTRAINT outbox_kind_is_known CHECK (kind IN (
    'shipment', 'schedule', 'revocation', 'shipment_progress', 'schedule_progress', 'seal')),
  CONSTRAINT outbox_version_is_positive CHECK (version > 0),
  CONSTRAINT outbox_attempts_not_negative CHECK (attempts >= 0),
  CONSTRAINT outbox_lease_is_whole CHECK (num_nulls(leased_until, lease_token, lease_pid) IN (0, 3))
) WITH (
  -- A mark is written, raised, leased and removed within milliseconds: room
  -- for HOT updates, and vacuum after a few hundred dead rows, at full speed,
  -- for the poll reads through what is dead.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 5000
);
COMMENT ON TABLE sync.outbox IS 'One mark per thing whose version the peer has not confirmed.';
COMMENT ON COLUMN sync.outbox.since IS 'Of the oldest change not confirmed; a later one does not move it.';
COMMENT ON COLUMN sync.outbox.lease_pid IS
  'The backend of the relay that works on it: where that is gone, so is the relay, and nobody waits for leased_until.';

-- Serves the relay's poll: due marks, first news first. next_attempt_at and
-- the lease stay out of every index, so that leasing is a HOT update.
CREATE INDEX outbox_by_since ON sync.outbox (since);

-- Fences the leases: a relay that slept through its lease holds an old token.
CREATE SEQUENCE sync.lease_token_seq AS bigint;

GRANT SELECT, INSERT, UPDATE, DELETE ON sync.outbox TO mtp_app;
GRANT USAGE, SELECT ON SEQUENCE sync.lease_token_seq TO mtp_app;
GRANT SELECT ON sync.outbox, sync.lease_token_seq TO mtp_reader;

COMMIT;
