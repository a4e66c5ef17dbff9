-- Deploy order:shipment to pg
-- requires: order_request

BEGIN;

CREATE TABLE shipment (
  request_code             bigint      NOT NULL,
  shipment_code            bigint      NOT NULL,
  order_code               text        NOT NULL,
  product_name             text        NOT NULL,
  item_code                text        NOT NULL DEFAULT '',
  quantity_grams           bigint      NOT NULL,
  split_from_shipment_code bigint      NOT NULL DEFAULT 0,
  status                   text        NOT NULL,
  special                  boolean     NOT NULL,
  approval                 text        NOT NULL DEFAULT 'NONE',
  approval_remarks         text        NOT NULL DEFAULT '',
  approval_by              text        NOT NULL DEFAULT '',
  approval_by_username     text        NOT NULL DEFAULT '',
  approval_by_role         text        NOT NULL DEFAULT '',
  approval_at              timestamptz,
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
  accept_recorded_at       timestamptz,
  received_grams           bigint,
  closed_short             boolean     NOT NULL DEFAULT false,
  recovered                boolean     NOT NULL DEFAULT false,
  version                  bigint      NOT NULL DEFAULT 1,
  changed_at               timestamptz NOT NULL DEFAULT now(),
  created_at               timestamptz NOT NULL DEFAULT now(),
  updated_at               timestamptz NOT NULL DEFAULT now(),
  progress_epoch           bigint      NOT NULL DEFAULT 0,
  progress_version         bigint      NOT NULL DEFAULT 0,
  progress_changed_at      timestamptz,
  progress_heard_at        timestamptz,
  readiness                text        NOT NULL DEFAULT 'NONE',
  readiness_remarks        text        NOT NULL DEFAULT '',
  readiness_by             text        NOT NULL DEFAULT '',
  readiness_by_username    text        NOT NULL DEFAULT '',
  readiness_by_role        text        NOT NULL DEFAULT '',
  readiness_at             timestamptz,
  allocated_grams          bigint      NOT NULL DEFAULT 0,
  dispatched               boolean     NOT NULL DEFAULT false,
  dispatch_vehicle         text        NOT NULL DEFAULT '',
  dispatched_at            timestamptz,
  dispatched_by            text        NOT NULL DEFAULT '',
  dispatched_by_username   text        NOT NULL DEFAULT '',
  dispatched_by_role       text        NOT NULL DEFAULT '',
  dispatched_grams         bigint      NOT NULL DEFAULT 0,
  dispatched_bags          bigint      NOT NULL DEFAULT 0,
  manifest_digest          bytea,
  correction_reason        text        NOT NULL DEFAULT '',
  corrected_by             text        NOT NULL DEFAULT '',
  corrected_by_username    text        NOT NULL DEFAULT '',
  corrected_by_role        text        NOT NULL DEFAULT '',
  corrected_at             timestamptz,
  CONSTRAINT shipment_is_unique PRIMARY KEY (request_code, shipment_code),
  CONSTRAINT shipment_is_of_a_request FOREIGN KEY (request_code) REFERENCES order_request (request_code),
  CONSTRAINT shipment_code_is_positive CHECK (shipment_code > 0),
  CONSTRAINT shipment_quantity_is_positive CHECK (quantity_grams > 0),
  CONSTRAINT shipment_version_is_positive CHECK (version > 0),
  CONSTRAINT shipment_approval_is_known CHECK (approval IN ('NONE', 'REQUESTED', 'ALLOWED', 'DENIED')),
  CONSTRAINT shipment_special_is_approved_or_not CHECK (special = (approval <> 'NONE')),
  CONSTRAINT shipment_cancellation_has_time CHECK (NOT cancelled OR cancelled_at IS NOT NULL),
  CONSTRAINT shipment_acceptance_has_times CHECK (
    NOT accepted OR accepted_at IS NOT NULL AND accept_recorded_at IS NOT NULL),
  CONSTRAINT shipment_received_not_negative CHECK (received_grams >= 0),
  CONSTRAINT shipment_split_is_from_an_earlier_one CHECK (
    split_from_shipment_code >= 0 AND split_from_shipment_code < shipment_code),
  CONSTRAINT shipment_readiness_is_known CHECK (readiness IN ('NONE', 'READY', 'NOT_READY')),
  CONSTRAINT shipment_progress_not_negative CHECK (
    least(progress_epoch, progress_version, allocated_grams, dispatched_grams, dispatched_bags) >= 0),
  CONSTRAINT shipment_status_follows_facts CHECK (status = CASE
    WHEN accepted THEN 'SHIPMENT_ACCEPTED'
    WHEN dispatched THEN 'SHIPMENT_DISPATCHED'
    WHEN cancelled THEN 'SHIPMENT_CANCELLED'
    WHEN approval = 'REQUESTED' THEN 'APPROVAL_REQUESTED'
    WHEN approval = 'DENIED' THEN 'APPROVAL_DENIED'
    WHEN readiness = 'READY' THEN 'ORDER_READY'
    WHEN readiness = 'NOT_READY' THEN 'ORDER_NOT_READY'
    ELSE 'ORDER_REQUESTED' END)
) WITH (
  -- Seeduwa's progress rewrites a shipment with every batch of allocations,
  -- in columns that no index holds: room for HOT updates, vacuum by count.
  fillfactor = 60,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE shipment IS 'Existence, product, quantity, approval, cancellation and acceptance are ours; from progress_epoch on all is Seeduwa''s word.';
COMMENT ON COLUMN shipment.version IS 'Raised by every change of ours that Seeduwa must know; also the etag.';
COMMENT ON COLUMN shipment.changed_at IS 'Of version, as the peer is told it; updated_at moves with the peer''s word too.';
COMMENT ON COLUMN shipment.split_from_shipment_code IS '0: shipment 1 of its request.';
COMMENT ON COLUMN shipment.accepted_at IS 'When it was accepted at the gate; accept_recorded_at is when it was told.';
COMMENT ON COLUMN shipment.received_grams IS 'NULL: as dispatched.';
COMMENT ON COLUMN shipment.progress_version IS '0: nothing heard yet.';
COMMENT ON COLUMN shipment.correction_reason IS 'Why Seeduwa corrected the dispatch or took it back, if it did.';

-- Serves ListShipments of an order, ListSchedules (accepted shipments that can feed one).
CREATE INDEX shipment_by_order ON shipment (order_code, request_code, shipment_code);
-- Serves ListShipments by status.
CREATE INDEX shipment_by_status ON shipment (status, request_code, shipment_code);
-- Serves ListShipments of a product.
CREATE INDEX shipment_by_product ON shipment (product_name, request_code, shipment_code);
-- Serves ListShipments of a vehicle, and by the time they left.
CREATE INDEX shipment_by_vehicle ON shipment (dispatch_vehicle, dispatched_at) WHERE dispatched;
-- Serves ListShipments by time.
CREATE INDEX shipment_by_created_at ON shipment (created_at, request_code, shipment_code);

GRANT SELECT, INSERT, UPDATE ON shipment TO mtp_app;
GRANT SELECT ON shipment TO mtp_reader;

COMMIT;
