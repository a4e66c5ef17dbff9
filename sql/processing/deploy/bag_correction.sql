-- Deploy processing:bag_correction to pg
-- requires: stocktake

BEGIN;

CREATE TABLE bag_correction (
  barcode               uuid        NOT NULL,
  correction_id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  old_gross_grams       bigint      NOT NULL,
  old_tare_grams        bigint      NOT NULL,
  old_net_grams         bigint      NOT NULL,
  new_gross_grams       bigint      NOT NULL,
  new_tare_grams        bigint      NOT NULL,
  new_net_grams         bigint      NOT NULL,
  reason                text        NOT NULL,
  stocktake_id          uuid,
  corrected_by          text        NOT NULL DEFAULT '',
  corrected_by_username text        NOT NULL DEFAULT '',
  corrected_by_role     text        NOT NULL DEFAULT '',
  occurred_at           timestamptz NOT NULL DEFAULT now(),
  recorded_at           timestamptz NOT NULL DEFAULT now(),
  correlation_id        text        NOT NULL DEFAULT '',
  CONSTRAINT bag_correction_is_unique PRIMARY KEY (barcode, correction_id),
  CONSTRAINT bag_correction_is_of_a_bag FOREIGN KEY (barcode) REFERENCES bag (barcode),
  CONSTRAINT bag_correction_is_of_its_stocktake FOREIGN KEY (stocktake_id) REFERENCES stocktake (stocktake_id),
  CONSTRAINT bag_correction_has_reason CHECK (reason <> ''),
  CONSTRAINT bag_correction_gross_is_net_and_tare CHECK (
    old_gross_grams = old_net_grams + old_tare_grams AND new_gross_grams = new_net_grams + new_tare_grams),
  CONSTRAINT bag_correction_weights_are_possible CHECK (new_tare_grams >= 0 AND new_net_grams > 0)
);
COMMENT ON TABLE bag_correction IS 'Each correction of a bag''s weight, with the weights before and after.';

CREATE TABLE write_off (
  barcode                 uuid        NOT NULL,
  write_off_id            uuid        NOT NULL,
  grams                   bigint      NOT NULL,
  reason                  text        NOT NULL,
  remarks                 text        NOT NULL DEFAULT '',
  stocktake_id            uuid,
  written_off_by          text        NOT NULL DEFAULT '',
  written_off_by_username text        NOT NULL DEFAULT '',
  written_off_by_role     text        NOT NULL DEFAULT '',
  occurred_at             timestamptz NOT NULL DEFAULT now(),
  recorded_at             timestamptz NOT NULL DEFAULT now(),
  correlation_id          text        NOT NULL DEFAULT '',
  CONSTRAINT write_off_is_unique PRIMARY KEY (barcode, write_off_id),
  CONSTRAINT write_off_is_of_a_bag FOREIGN KEY (barcode) REFERENCES bag (barcode),
  CONSTRAINT write_off_is_of_its_stocktake FOREIGN KEY (stocktake_id) REFERENCES stocktake (stocktake_id),
  CONSTRAINT write_off_is_positive CHECK (grams > 0),
  CONSTRAINT write_off_reason_is_known CHECK (reason IN ('SPILLAGE', 'SAMPLE', 'MOISTURE', 'STOCKTAKE'))
);
COMMENT ON TABLE write_off IS 'Each loss taken from what remained of a bag.';

CREATE TRIGGER bag_correction_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bag_correction
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER write_off_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON write_off
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON bag_correction, write_off TO mtp_app;
GRANT SELECT ON bag_correction, write_off TO mtp_reader;

COMMIT;
