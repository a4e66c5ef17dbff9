-- Deploy sync:epoch to pg
-- requires: sync_schema

BEGIN;

CREATE TABLE sync.epoch (
  singleton       boolean     NOT NULL DEFAULT true,
  own_epoch       bigint      NOT NULL DEFAULT 1,
  peer_epoch      bigint      NOT NULL DEFAULT 0,
  peer_heard_at   timestamptz,
  halted          boolean     NOT NULL DEFAULT false,
  halted_reason   text,
  peer_high_water bigint      NOT NULL DEFAULT 0,
  peer_sent_at    timestamptz,
  refused_by_peer text        NOT NULL DEFAULT '',
  recovering      boolean     NOT NULL DEFAULT false,
  CONSTRAINT epoch_is_one_row PRIMARY KEY (singleton),
  CONSTRAINT epoch_row_is_the_one CHECK (singleton),
  CONSTRAINT epoch_own_is_positive CHECK (own_epoch > 0),
  CONSTRAINT epoch_peer_not_negative CHECK (peer_epoch >= 0 AND peer_high_water >= 0),
  CONSTRAINT epoch_halt_has_reason CHECK (NOT halted OR halted_reason IS NOT NULL)
) WITH (fillfactor = 10); -- one row, updated whenever the peer is heard: all its versions stay on one page
COMMENT ON TABLE sync.epoch IS 'Own epoch, the peer''s as last seen, and whether its states are applied at all.';
COMMENT ON COLUMN sync.epoch.peer_epoch IS '0: the peer was never heard.';
COMMENT ON COLUMN sync.epoch.halted IS 'The peer''s versions fell back without a new epoch: nothing of it is applied until a person decides.';
COMMENT ON COLUMN sync.epoch.peer_high_water IS 'The highest the peer told of its epoch, at its time peer_sent_at.';
COMMENT ON COLUMN sync.epoch.refused_by_peer IS 'Why the peer applies nothing of ours (mtp.sync.v1.Refusal); empty while it does.';
COMMENT ON COLUMN sync.epoch.recovering IS 'This side takes back from the peer what it lost in a restore.';
INSERT INTO sync.epoch DEFAULT VALUES;

GRANT SELECT, UPDATE ON sync.epoch TO mtp_app;
GRANT SELECT ON sync.epoch TO mtp_reader;

COMMIT;
