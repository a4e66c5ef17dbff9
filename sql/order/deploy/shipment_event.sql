-- Deploy order:shipment_event to pg
-- requires: shipment

BEGIN;

CREATE TABLE shipment_event (
  request_code     bigint      NOT NULL,
  shipment_code    bigint      NOT NULL,
  event_number     bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  event_id         uuid        NOT NULL,
  cause            text        NOT NULL,
  from_status      text,
  to_status        text        NOT NULL,
  quantity_grams   bigint      NOT NULL,
  remarks          text        NOT NULL DEFAULT '',
  vehicle          text        NOT NULL DEFAULT '',
  said_by          text        NOT NULL DEFAULT '',
  said_by_username text        NOT NULL DEFAULT '',
  said_by_role     text        NOT NULL DEFAULT '',
  occurred_at      timestamptz NOT NULL DEFAULT now(),
  recorded_at      timestamptz NOT NULL DEFAULT now(),
  recovered        boolean     NOT NULL DEFAULT false,
  correlation_id   text        NOT NULL DEFAULT '',
  -- Serves ListShipmentEvents of one shipment, in their order.
  CONSTRAINT shipment_event_is_unique PRIMARY KEY (request_code, shipment_code, event_number),
  -- Serves ListShipmentEvents of all, in the order they were recorded.
  CONSTRAINT shipment_event_number_is_unique UNIQUE (event_number),
  CONSTRAINT shipment_event_cause_is_known CHECK (cause IN (
    'REQUESTED', 'APPROVED', 'DENIED', 'READINESS', 'QUANTITY_LOWERED', 'SPLIT_OFF', 'DISPATCHED',
    'DISPATCH_CORRECTED', 'ACCEPTED', 'CANCELLED', 'IMPORTED')),
  CONSTRAINT shipment_event_is_of_a_shipment FOREIGN KEY (request_code, shipment_code)
    REFERENCES shipment (request_code, shipment_code),
  CONSTRAINT shipment_event_statuses_are_known CHECK (
    to_status IN ('APPROVAL_REQUESTED', 'APPROVAL_ALLOWED', 'APPROVAL_DENIED', 'ORDER_REQUESTED', 'ORDER_NOT_READY',
                  'ORDER_READY', 'SHIPMENT_DISPATCHED', 'SHIPMENT_ACCEPTED', 'SHIPMENT_CANCELLED')
    AND (from_status IS NULL OR from_status IN (
                  'APPROVAL_REQUESTED', 'APPROVAL_ALLOWED', 'APPROVAL_DENIED', 'ORDER_REQUESTED', 'ORDER_NOT_READY',
                  'ORDER_READY', 'SHIPMENT_DISPATCHED', 'SHIPMENT_ACCEPTED', 'SHIPMENT_CANCELLED'))),
  CONSTRAINT shipment_event_quantity_is_positive CHECK (quantity_grams > 0)
);
COMMENT ON TABLE shipment_event IS 'Who said what of a shipment and when; a changed quantity is an event from a status to itself.';
COMMENT ON COLUMN shipment_event.event_number IS 'Given under the shipment''s lock: the true order of its events.';
COMMENT ON COLUMN shipment_event.from_status IS 'NULL: the shipment was made.';
COMMENT ON COLUMN shipment_event.quantity_grams IS 'Of the shipment after the event.';

CREATE TRIGGER shipment_event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON shipment_event
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON shipment_event TO mtp_app;
GRANT SELECT ON shipment_event TO mtp_reader;

COMMIT;
