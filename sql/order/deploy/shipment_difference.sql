-- Deploy order:shipment_difference to pg
-- requires: shipment

BEGIN;

CREATE TABLE shipment_difference (
  request_code  bigint      NOT NULL,
  shipment_code bigint      NOT NULL,
  barcode       uuid        NOT NULL,
  kind          text        NOT NULL,
  recorded_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT shipment_difference_is_one_per_bag PRIMARY KEY (request_code, shipment_code, barcode),
  CONSTRAINT shipment_difference_is_of_a_shipment FOREIGN KEY (request_code, shipment_code)
    REFERENCES shipment (request_code, shipment_code),
  CONSTRAINT shipment_difference_kind_is_known CHECK (kind IN ('MISSING', 'DAMAGED', 'SENT_BACK'))
);
COMMENT ON TABLE shipment_difference IS 'Bags that did not arrive as they left, told with the acceptance; the weight is shipment.received_grams.';

CREATE TRIGGER shipment_difference_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON shipment_difference
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON shipment_difference TO mtp_app;
GRANT SELECT ON shipment_difference TO mtp_reader;

COMMIT;
