-- Deploy sync:exception to pg
-- requires: sync_schema

BEGIN;

CREATE TABLE sync.exception (
  exception_id       uuid        NOT NULL,
  kind               text        NOT NULL,
  things             text[]      NOT NULL,
  amounts            jsonb       NOT NULL DEFAULT '{}',
  description        text        NOT NULL DEFAULT '',
  must_act           text        NOT NULL,
  acting_side        text        NOT NULL,
  dedupe_key         text        NOT NULL,
  opened_at          timestamptz NOT NULL DEFAULT now(),
  correlation_id     text        NOT NULL DEFAULT '',
  closed_at          timestamptz,
  closed_by          text,
  closed_by_username text        NOT NULL DEFAULT '',
  closed_by_role     text        NOT NULL DEFAULT '',
  closed_reason      text,
  CONSTRAINT exception_is_unique PRIMARY KEY (exception_id),
  CONSTRAINT exception_kind_is_named CHECK (kind <> ''),
  CONSTRAINT exception_names_things CHECK (cardinality(things) > 0),
  CONSTRAINT exception_role_is_known CHECK (must_act IN (
    'MASTER_ADMIN', 'GRANDPASS_ADMIN', 'SEEDUWA_ADMIN', 'GRANDPASS_OFFICER', 'GRANDPASS_SUPERVISOR',
    'SEEDUWA_OFFICER', 'SEEDUWA_OPERATOR', 'GRANDPASS_GATEPASS', 'GRANDPASS_DEV_MACHINE',
    'TRADER_OFFICER', 'TRADER_SUPERVISOR')),
  CONSTRAINT exception_side_is_known CHECK (acting_side IN ('ORDER', 'PROCESSING')),
  CONSTRAINT exception_closing_is_whole CHECK (
    num_nonnulls(closed_at, closed_by, closed_reason) IN (0, 3) AND closed_reason IS DISTINCT FROM '')
);
COMMENT ON TABLE sync.exception IS 'What the platform cannot mend by itself: kind, things, amounts, who must act.';
COMMENT ON COLUMN sync.exception.things IS 'Kind and key of each, as shipment:17/1, the main thing first.';
COMMENT ON COLUMN sync.exception.amounts IS 'Grams by name.';
COMMENT ON COLUMN sync.exception.dedupe_key IS 'The same trouble is open once, however often it is seen.';

-- Serves opening one (ON CONFLICT (dedupe_key) WHERE closed_at IS NULL DO NOTHING).
CREATE UNIQUE INDEX exception_is_open_once ON sync.exception (dedupe_key) WHERE closed_at IS NULL;
-- Serves ListExceptions of the open ones, and their count.
CREATE INDEX exception_open_by_id ON sync.exception (exception_id) WHERE closed_at IS NULL;
-- Serves ListExceptions of one thing.
CREATE INDEX exception_by_thing ON sync.exception USING gin (things);

GRANT SELECT, INSERT, UPDATE ON sync.exception TO mtp_app;
GRANT SELECT ON sync.exception TO mtp_reader;

COMMIT;
