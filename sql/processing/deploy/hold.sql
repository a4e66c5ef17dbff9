-- Deploy processing:hold to pg
-- requires: bag

BEGIN;

CREATE TABLE hold (
  hold_id              uuid        NOT NULL,
  reason               text        NOT NULL,
  held_by              text        NOT NULL DEFAULT '',
  held_by_username     text        NOT NULL DEFAULT '',
  held_by_role         text        NOT NULL DEFAULT '',
  held_at              timestamptz NOT NULL DEFAULT now(),
  occurred_at          timestamptz NOT NULL DEFAULT now(),
  released_by          text        NOT NULL DEFAULT '',
  released_by_username text        NOT NULL DEFAULT '',
  released_by_role     text        NOT NULL DEFAULT '',
  released_at          timestamptz,
  release_reason       text        NOT NULL DEFAULT '',
  correlation_id       text        NOT NULL DEFAULT '',
  CONSTRAINT hold_is_unique PRIMARY KEY (hold_id),
  CONSTRAINT hold_has_reason CHECK (reason <> ''),
  CONSTRAINT hold_release_has_reason CHECK ((released_at IS NULL) = (release_reason = ''))
);
COMMENT ON TABLE hold IS 'A recall or a doubt: nothing of its bags goes anywhere until it is released.';

CREATE TABLE hold_bag (
  barcode     uuid        NOT NULL,
  hold_id     uuid        NOT NULL,
  released_at timestamptz,
  CONSTRAINT hold_bag_is_unique PRIMARY KEY (barcode, hold_id),
  CONSTRAINT hold_bag_is_of_a_hold FOREIGN KEY (hold_id) REFERENCES hold (hold_id),
  CONSTRAINT hold_bag_is_of_a_bag FOREIGN KEY (barcode) REFERENCES bag (barcode)
);
COMMENT ON TABLE hold_bag IS 'The bags of a hold; bag.held is true while one that is not released has it.';

-- Serves the bags of a hold.
CREATE INDEX hold_bag_by_hold ON hold_bag (hold_id, barcode);

GRANT SELECT, INSERT, UPDATE ON hold, hold_bag TO mtp_app;
GRANT SELECT ON hold, hold_bag TO mtp_reader;

COMMIT;
