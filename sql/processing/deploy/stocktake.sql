-- Deploy processing:stocktake to pg
-- requires: bag

BEGIN;

CREATE TABLE stocktake (
  stocktake_id        uuid        NOT NULL,
  location_id         uuid        NOT NULL,
  reason              text        NOT NULL,
  counted_bag_count   bigint      NOT NULL,
  agreeing_bag_count  bigint      NOT NULL,
  difference_grams    bigint      NOT NULL,
  counted_by          text        NOT NULL DEFAULT '',
  counted_by_username text        NOT NULL DEFAULT '',
  counted_by_role     text        NOT NULL DEFAULT '',
  occurred_at         timestamptz NOT NULL DEFAULT now(),
  recorded_at         timestamptz NOT NULL DEFAULT now(),
  correlation_id      text        NOT NULL DEFAULT '',
  CONSTRAINT stocktake_is_unique PRIMARY KEY (stocktake_id),
  CONSTRAINT stocktake_is_of_a_location FOREIGN KEY (location_id) REFERENCES location (location_id),
  CONSTRAINT stocktake_has_reason CHECK (reason <> ''),
  CONSTRAINT stocktake_counts_fit CHECK (agreeing_bag_count BETWEEN 0 AND counted_bag_count)
);
COMMENT ON TABLE stocktake IS 'A count of the bags at a place, as it was booked.';

CREATE TABLE stocktake_line (
  stocktake_id     uuid   NOT NULL,
  barcode          uuid   NOT NULL,
  finding          text   NOT NULL,
  book_grams       bigint,
  counted_grams    bigint,
  book_location_id uuid,
  CONSTRAINT stocktake_line_is_unique PRIMARY KEY (stocktake_id, barcode),
  CONSTRAINT stocktake_line_is_of_a_stocktake FOREIGN KEY (stocktake_id) REFERENCES stocktake (stocktake_id),
  CONSTRAINT stocktake_line_finding_is_known CHECK (finding IN (
    'AGREES', 'SHORT', 'OVER', 'MISSING', 'MISPLACED', 'UNKNOWN')),
  CONSTRAINT stocktake_line_weights_not_negative CHECK (book_grams >= 0 AND counted_grams >= 0)
);
COMMENT ON TABLE stocktake_line IS 'What was counted and what the book said. A barcode may be unknown to the book, hence no foreign key.';

CREATE TRIGGER stocktake_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stocktake
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER stocktake_line_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stocktake_line
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON stocktake, stocktake_line TO mtp_app;
GRANT SELECT ON stocktake, stocktake_line TO mtp_reader;

COMMIT;
