-- Deploy sync:audit_entry to pg
-- requires: sync_schema

BEGIN;

CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'The trail of every change, append-only, and the seals over it.';
GRANT USAGE ON SCHEMA audit TO mtp_app, mtp_reader;

CREATE TABLE audit.entry (
  entry_id       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  occurred_at    timestamptz NOT NULL DEFAULT now(),
  recorded_at    timestamptz NOT NULL DEFAULT now(),
  caller         text        NOT NULL,
  username       text        NOT NULL DEFAULT '',
  role           text        NOT NULL DEFAULT '',
  method         text        NOT NULL,
  request_id     uuid,
  correlation_id text        NOT NULL DEFAULT '',
  remote_address text        NOT NULL DEFAULT '',
  remarks        text        NOT NULL DEFAULT '',
  entity_kind    text        NOT NULL,
  entity_key     text        NOT NULL,
  action         text        NOT NULL,
  change         jsonb       NOT NULL DEFAULT '{}',
  CONSTRAINT entry_is_unique PRIMARY KEY (entry_id)
);
COMMENT ON TABLE audit.entry IS 'One row per changed thing and call.';
COMMENT ON COLUMN audit.entry.caller IS 'Subject of the person, or the name in the service''s certificate.';

-- Serves the history of one thing.
CREATE INDEX entry_by_entity ON audit.entry (entity_kind, entity_key, entry_id);
-- Serves ExplainCorrelation. Correlation ids are random and only asked for
-- whole: a hash keeps a third of the pages that a btree would dirty.
CREATE INDEX entry_by_correlation_id ON audit.entry USING hash (correlation_id);
-- Serves ListEntries of one person.
CREATE INDEX entry_by_caller ON audit.entry (caller, entry_id);
-- Serves ListEntries between two moments: rows lie in the order they came.
CREATE INDEX entry_by_recorded_at ON audit.entry
  USING brin (recorded_at) WITH (pages_per_range = 32, autosummarize = on);

CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON audit.entry TO mtp_app;
GRANT SELECT ON SEQUENCE audit.entry_entry_id_seq TO mtp_app;
GRANT SELECT ON audit.entry TO mtp_reader;

COMMIT;
