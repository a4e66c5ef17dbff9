-- Deploy sync:idempotency_key to pg
-- requires: sync_schema

BEGIN;

-- request_id leads the key: ids ordered by time keep the inserts on few pages.
CREATE TABLE sync.idempotency_key (
  request_id     uuid        NOT NULL,
  caller         text        NOT NULL,
  method         text        NOT NULL,
  content_digest bytea       NOT NULL,
  reply          bytea       NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT idempotency_key_is_unique PRIMARY KEY (request_id, caller, method)
) WITH (
  -- Rows come by the thousand and go in small steps of the purge: vacuum by
  -- count, so that a large table does not wait for a share of itself.
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_scale_factor = 0.1
);
COMMENT ON TABLE sync.idempotency_key IS 'The replies of the calls that were done, by caller, method and request_id; kept some days.';

-- Serves the purge: keys older than a moment.
CREATE INDEX idempotency_key_by_created_at ON sync.idempotency_key
  USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);

GRANT SELECT, INSERT, DELETE ON sync.idempotency_key TO mtp_app;
GRANT SELECT ON sync.idempotency_key TO mtp_reader;

COMMIT;
