-- Deploy processing:bag_dispatch to pg
-- requires: allocation

BEGIN;

CREATE TABLE bag_dispatch (
  barcode                uuid        NOT NULL,
  dispatch_id            bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  remaining_grams        bigint      NOT NULL,
  reason                 text        NOT NULL,
  vehicle                text        NOT NULL DEFAULT '',
  dispatched_by          text        NOT NULL DEFAULT '',
  dispatched_by_username text        NOT NULL DEFAULT '',
  dispatched_by_role     text        NOT NULL DEFAULT '',
  occurred_at            timestamptz NOT NULL DEFAULT now(),
  recorded_at            timestamptz NOT NULL DEFAULT now(),
  correlation_id         text        NOT NULL DEFAULT '',
  CONSTRAINT bag_dispatch_is_unique PRIMARY KEY (barcode, dispatch_id),
  CONSTRAINT bag_dispatch_is_of_a_bag FOREIGN KEY (barcode) REFERENCES bag (barcode),
  CONSTRAINT bag_dispatch_has_reason CHECK (reason <> ''),
  CONSTRAINT bag_dispatch_takes_something CHECK (remaining_grams > 0)
);
COMMENT ON TABLE bag_dispatch IS 'A bag marked as gone outside any shipment, with what remained in it.';

CREATE TABLE bag_return (
  barcode              uuid        NOT NULL,
  return_id            uuid        NOT NULL,
  request_code         bigint,
  shipment_code        bigint,
  net_grams            bigint      NOT NULL,
  location_id          uuid        NOT NULL,
  remarks              text        NOT NULL DEFAULT '',
  received_by          text        NOT NULL DEFAULT '',
  received_by_username text        NOT NULL DEFAULT '',
  received_by_role     text        NOT NULL DEFAULT '',
  occurred_at          timestamptz NOT NULL DEFAULT now(),
  recorded_at          timestamptz NOT NULL DEFAULT now(),
  correlation_id       text        NOT NULL DEFAULT '',
  CONSTRAINT bag_return_is_unique PRIMARY KEY (barcode, return_id),
  CONSTRAINT bag_return_is_of_a_bag FOREIGN KEY (barcode) REFERENCES bag (barcode),
  CONSTRAINT bag_return_is_from_its_shipment FOREIGN KEY (request_code, shipment_code)
    REFERENCES shipment (request_code, shipment_code),
  CONSTRAINT bag_return_names_a_shipment_whole CHECK (num_nonnulls(request_code, shipment_code) IN (0, 2)),
  CONSTRAINT bag_return_lies_in_a_location FOREIGN KEY (location_id) REFERENCES location (location_id),
  CONSTRAINT bag_return_is_positive CHECK (net_grams > 0)
);
COMMENT ON TABLE bag_return IS 'What came back of a bag, under its barcode. From a shipment: the allocation it left with stays as history, and remaining grows by net_grams. By hand: what remained is there again, and a difference is a write-off or a correction.';
COMMENT ON COLUMN bag_return.request_code IS 'NULL: it had left by hand.';

-- Serves the returns of a shipment: trace, history.
CREATE INDEX bag_return_by_shipment ON bag_return (request_code, shipment_code) WHERE request_code IS NOT NULL;

CREATE TRIGGER bag_dispatch_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bag_dispatch
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER bag_return_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bag_return
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON bag_dispatch, bag_return TO mtp_app;
GRANT SELECT ON bag_dispatch, bag_return TO mtp_reader;

COMMIT;
