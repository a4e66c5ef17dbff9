-- Deploy processing:shipment to pg
-- requires: sync:sync_schema

BEGIN;

CREATE TABLE shipment (
  request_code             bigint      NOT NULL,
  shipment_code            bigint      NOT NULL,
  order_code               text        NOT NULL,
  product_name             text        NOT NULL,
  item_code                text        NOT NULL DEFAULT '',
  quantity_grams           bigint      NOT NULL,
  split_from_shipment_code bigint      NOT NULL DEFAULT 0,
  special                  boolean     NOT NULL DEFAULT false,
  approved                 boolean     NOT NULL DEFAULT true,
  closed_short             boolean     NOT NULL DEFAULT false,
  cancelled                boolean     NOT NULL DEFAULT false,
  cancel_remarks           text        NOT NULL DEFAULT '',
  cancelled_by             text        NOT NULL DEFAULT '',
  cancelled_by_username    text        NOT NULL DEFAULT '',
  cancelled_by_role        text        NOT NULL DEFAULT '',
  cancelled_at             timestamptz,
  accepted                 boolean     NOT NULL DEFAULT false,
  accept_remarks           text        NOT NULL DEFAULT '',
  accepted_by              text        NOT NULL DEFAULT '',
  accepted_by_username     text        NOT NULL DEFAULT '',
  accepted_by_role         text        NOT NULL DEFAULT '',
  accepted_at              timestamptz,
  received_grams           bigint,
  missing_barcodes         uuid[]      NOT NULL DEFAULT '{}',
  damaged_barcodes         uuid[]      NOT NULL DEFAULT '{}',
  sent_back_barcodes       uuid[]      NOT NULL DEFAULT '{}',
  created_at               timestamptz,
  order_epoch              bigint      NOT NULL DEFAULT 0,
  order_version            bigint      NOT NULL DEFAULT 0,
  order_changed_at         timestamptz,
  heard_at                 timestamptz NOT NULL DEFAULT now(),
  status                   text        NOT NULL DEFAULT 'ORDER_REQUESTED',
  readiness                text        NOT NULL DEFAULT 'NONE',
  readiness_remarks        text        NOT NULL DEFAULT '',
  readiness_by             text        NOT NULL DEFAULT '',
  readiness_by_username    text        NOT NULL DEFAULT '',
  readiness_by_role        text        NOT NULL DEFAULT '',
  readiness_at             timestamptz,
  allocated_grams          bigint      NOT NULL DEFAULT 0,
  recovered_grams          bigint      NOT NULL DEFAULT 0,
  dispatched               boolean     NOT NULL DEFAULT false,
  dispatch_id              uuid,
  vehicle                  text        NOT NULL DEFAULT '',
  dispatched_by            text        NOT NULL DEFAULT '',
  dispatched_by_username   text        NOT NULL DEFAULT '',
  dispatched_by_role       text        NOT NULL DEFAULT '',
  dispatched_at            timestamptz,
  dispatch_recorded_at     timestamptz,
  dispatched_grams         bigint      NOT NULL DEFAULT 0,
  dispatched_bags          bigint      NOT NULL DEFAULT 0,
  manifest_digest          bytea,
  correction_reason        text        NOT NULL DEFAULT '',
  corrected_by             text        NOT NULL DEFAULT '',
  corrected_by_username    text        NOT NULL DEFAULT '',
  corrected_by_role        text        NOT NULL DEFAULT '',
  corrected_at             timestamptz,
  version                  bigint      NOT NULL DEFAULT 0,
  changed_at               timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT shipment_is_unique PRIMARY KEY (request_code, shipment_code),
  CONSTRAINT shipment_codes_are_positive CHECK (request_code > 0 AND shipment_code > 0),
  CONSTRAINT shipment_quantity_is_positive CHECK (quantity_grams > 0),
  CONSTRAINT shipment_versions_not_negative CHECK (least(order_epoch, order_version, version) >= 0),
  CONSTRAINT shipment_readiness_is_known CHECK (readiness IN ('NONE', 'READY', 'NOT_READY')),
  CONSTRAINT shipment_allocated_not_negative CHECK (allocated_grams >= 0),
  CONSTRAINT shipment_recovered_within_allocated CHECK (recovered_grams BETWEEN 0 AND allocated_grams),
  -- What has left is a fact, whatever was said meanwhile; what has not never
  -- exceeds what is wanted. A cut and the giving back are one UPDATE.
  CONSTRAINT shipment_allocated_within_quantity CHECK (
    dispatched OR allocated_grams <= CASE WHEN cancelled THEN 0 ELSE quantity_grams END),
  CONSTRAINT shipment_dispatch_is_whole CHECK (CASE WHEN dispatched
    THEN vehicle <> '' AND dispatched_at IS NOT NULL AND dispatched_grams > 0 AND dispatched_bags >= 0
    ELSE dispatched_at IS NULL AND dispatched_grams = 0 AND dispatched_bags = 0 AND manifest_digest IS NULL END),
  CONSTRAINT shipment_status_follows_facts CHECK (status = CASE
    WHEN accepted THEN 'SHIPMENT_ACCEPTED'
    WHEN dispatched THEN 'SHIPMENT_DISPATCHED'
    WHEN cancelled THEN 'SHIPMENT_CANCELLED'
    WHEN NOT approved THEN 'APPROVAL_REQUESTED'
    WHEN readiness = 'READY' THEN 'ORDER_READY'
    WHEN readiness = 'NOT_READY' THEN 'ORDER_NOT_READY'
    ELSE 'ORDER_REQUESTED' END)
) WITH (
  -- Every batch of allocations rewrites the total, which no index holds: half
  -- of each page is room for HOT updates; vacuum by count.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE shipment IS 'Up to heard_at Grandpass''s word as copied; readiness, allocated and dispatch are ours.';
COMMENT ON COLUMN shipment.dispatch_id IS 'The same for all that left in one call.';
COMMENT ON COLUMN shipment.dispatched_at IS 'When it left, as told; dispatch_recorded_at is when it was told.';
COMMENT ON COLUMN shipment.created_at IS 'When the order side made it.';
COMMENT ON COLUMN shipment.correction_reason IS 'Of the last correction of the dispatch; all of them are in dispatch_correction.';
COMMENT ON COLUMN shipment.order_version IS 'Grandpass''s version; with order_epoch it decides what is news.';
COMMENT ON COLUMN shipment.allocated_grams IS 'Sum of the active allocations, and recovered_grams.';
COMMENT ON COLUMN shipment.recovered_grams IS 'Taken back from the peer after a restore, with the bags unknown; zero otherwise.';
COMMENT ON COLUMN shipment.version IS 'Raised by every change of ours that Grandpass must know; 0: nothing said yet.';

-- Serves ListOpenShipments and lists by status.
CREATE INDEX shipment_by_status ON shipment (status, request_code, shipment_code);
-- Serves the shipments of an order: what can feed a schedule, trace.
CREATE INDEX shipment_by_order ON shipment (order_code, request_code, shipment_code);

CREATE TABLE dispatch_correction (
  request_code          bigint      NOT NULL,
  shipment_code         bigint      NOT NULL,
  correction_id         uuid        NOT NULL,
  kind                  text        NOT NULL,
  old_vehicle           text        NOT NULL,
  new_vehicle           text        NOT NULL DEFAULT '',
  reason                text        NOT NULL,
  corrected_by          text        NOT NULL DEFAULT '',
  corrected_by_username text        NOT NULL DEFAULT '',
  corrected_by_role     text        NOT NULL DEFAULT '',
  occurred_at           timestamptz NOT NULL DEFAULT now(),
  recorded_at           timestamptz NOT NULL DEFAULT now(),
  correlation_id        text        NOT NULL DEFAULT '',
  CONSTRAINT dispatch_correction_is_unique PRIMARY KEY (request_code, shipment_code, correction_id),
  CONSTRAINT dispatch_correction_is_of_a_shipment FOREIGN KEY (request_code, shipment_code)
    REFERENCES shipment (request_code, shipment_code),
  CONSTRAINT dispatch_correction_kind_is_known CHECK (kind IN ('VEHICLE', 'TAKEN_BACK')),
  CONSTRAINT dispatch_correction_has_reason CHECK (reason <> '')
);
COMMENT ON TABLE dispatch_correction IS 'A wrong vehicle, or a dispatch that was none, put right before acceptance.';

CREATE TRIGGER dispatch_correction_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dispatch_correction
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT, UPDATE ON shipment TO mtp_app;
GRANT SELECT, INSERT ON dispatch_correction TO mtp_app;
GRANT SELECT ON shipment, dispatch_correction TO mtp_reader;

COMMIT;
