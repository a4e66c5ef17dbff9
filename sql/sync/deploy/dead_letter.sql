-- Deploy sync:dead_letter to pg
-- requires: sync_schema

BEGIN;

CREATE TABLE sync.dead_letter (
  kind                text        NOT NULL,
  key                 text        NOT NULL,
  dead_letter_id      uuid        NOT NULL DEFAULT gen_random_uuid(),
  version             bigint      NOT NULL,
  epoch               bigint      NOT NULL,
  state               bytea       NOT NULL,
  reason              text        NOT NULL,
  message             text        NOT NULL DEFAULT '',
  correlation_ids     text[]      NOT NULL DEFAULT '{}',
  first_seen_at       timestamptz NOT NULL DEFAULT now(),
  last_seen_at        timestamptz NOT NULL DEFAULT now(),
  attempts            bigint      NOT NULL DEFAULT 1,
  settlement          text        NOT NULL DEFAULT 'OPEN',
  settled_at          timestamptz,
  settled_by          text        NOT NULL DEFAULT '',
  settled_by_username text        NOT NULL DEFAULT '',
  settled_by_role     text        NOT NULL DEFAULT '',
  drop_reason         text        NOT NULL DEFAULT '',
  CONSTRAINT dead_letter_is_one_per_thing PRIMARY KEY (kind, key),
  CONSTRAINT dead_letter_is_unique UNIQUE (dead_letter_id),
  CONSTRAINT dead_letter_has_reason CHECK (reason <> ''),
  CONSTRAINT dead_letter_was_tried CHECK (attempts > 0),
  CONSTRAINT dead_letter_settlement_is_known CHECK (settlement IN ('OPEN', 'APPLIED', 'DROPPED')),
  CONSTRAINT dead_letter_settlement_has_time CHECK ((settlement = 'OPEN') = (settled_at IS NULL)),
  CONSTRAINT dead_letter_drop_has_reason CHECK ((settlement = 'DROPPED') = (drop_reason <> ''))
);
COMMENT ON TABLE sync.dead_letter IS 'The peer''s states answered with POISON, as they came; only the thing concerned waits. A new one takes the place of a settled one.';

-- Serves the count of open letters, and ListDeadLetters of them.
CREATE INDEX dead_letter_open ON sync.dead_letter (first_seen_at) WHERE settlement = 'OPEN';

GRANT SELECT, INSERT, UPDATE, DELETE ON sync.dead_letter TO mtp_app;
GRANT SELECT ON sync.dead_letter TO mtp_reader;

COMMIT;
