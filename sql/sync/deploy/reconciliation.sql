-- Deploy sync:reconciliation to pg
-- requires: sync_schema

BEGIN;

CREATE TABLE sync.reconcile_run (
  run_id                uuid        NOT NULL,
  cause                 text        NOT NULL,
  report_only           boolean     NOT NULL DEFAULT false,
  requested_by          text        NOT NULL DEFAULT '',
  requested_by_username text        NOT NULL DEFAULT '',
  requested_by_role     text        NOT NULL DEFAULT '',
  correlation_id        text        NOT NULL DEFAULT '',
  started_at            timestamptz NOT NULL DEFAULT now(),
  finished_at           timestamptz,
  compared_count        bigint      NOT NULL DEFAULT 0,
  drift_count           bigint      NOT NULL DEFAULT 0,
  repaired_count        bigint      NOT NULL DEFAULT 0,
  error                 text        NOT NULL DEFAULT '',
  CONSTRAINT reconcile_run_is_unique PRIMARY KEY (run_id),
  CONSTRAINT reconcile_run_cause_is_known CHECK (cause IN ('BACKGROUND', 'ON_DEMAND', 'RECOVERY')),
  CONSTRAINT reconcile_run_counts_not_negative CHECK (least(compared_count, drift_count, repaired_count) >= 0)
);
COMMENT ON TABLE sync.reconcile_run IS 'Each comparison of the shared facts with the peer.';

-- Serves GetSyncStatus and the purge: the latest runs, the old ones.
CREATE INDEX reconcile_run_by_start ON sync.reconcile_run (started_at);

CREATE TABLE sync.drift (
  drift_id         uuid        NOT NULL,
  run_id           uuid        NOT NULL,
  kind             text        NOT NULL,
  key              text        NOT NULL,
  owner            text        NOT NULL,
  cause            text        NOT NULL,
  differences      jsonb       NOT NULL DEFAULT '[]',
  owner_version    bigint,
  copy_version     bigint,
  found_at         timestamptz NOT NULL DEFAULT now(),
  repaired_at      timestamptz,
  repaired_version bigint,
  why              text        NOT NULL DEFAULT '',
  CONSTRAINT drift_is_unique PRIMARY KEY (drift_id),
  CONSTRAINT drift_is_of_a_run FOREIGN KEY (run_id) REFERENCES sync.reconcile_run (run_id) ON DELETE CASCADE,
  CONSTRAINT drift_owner_is_known CHECK (owner IN ('ORDER', 'PROCESSING')),
  CONSTRAINT drift_cause_is_known CHECK (cause IN (
    'COPY_MISSING', 'COPY_BEHIND', 'CONTENT_DIFFERS', 'COPY_AHEAD', 'OWNER_MISSING'))
);
COMMENT ON TABLE sync.drift IS 'A fact found different on the two sides, and what was done about it.';
COMMENT ON COLUMN sync.drift.differences IS 'Field, owner''s value and copy''s value of each.';
COMMENT ON COLUMN sync.drift.why IS 'Why it was repaired so, or not at all.';

-- Serves ListDrift of one run, and the cascade of the purge.
CREATE INDEX drift_by_run ON sync.drift (run_id, drift_id);
-- Serves ListDrift of one thing.
CREATE INDEX drift_by_thing ON sync.drift (kind, key);
-- Serves GetSyncStatus: what differs and is not repaired.
CREATE INDEX drift_open ON sync.drift (found_at) WHERE repaired_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON sync.reconcile_run, sync.drift TO mtp_app;
GRANT SELECT ON sync.reconcile_run, sync.drift TO mtp_reader;

COMMIT;
