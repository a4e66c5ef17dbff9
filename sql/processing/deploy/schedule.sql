-- Deploy processing:schedule to pg
-- requires: sync:sync_schema

BEGIN;

CREATE TABLE schedule (
  schedule_code         bigint      NOT NULL,
  schedule_date         date        NOT NULL,
  order_code            text        NOT NULL,
  shift                 text        NOT NULL,
  section               text        NOT NULL,
  quantity_grams        bigint      NOT NULL,
  completed             boolean     NOT NULL DEFAULT false,
  completed_by          text        NOT NULL DEFAULT '',
  completed_by_username text        NOT NULL DEFAULT '',
  completed_by_role     text        NOT NULL DEFAULT '',
  completed_at          timestamptz,
  order_epoch           bigint      NOT NULL DEFAULT 0,
  order_version         bigint      NOT NULL DEFAULT 0,
  order_changed_at      timestamptz,
  heard_at              timestamptz NOT NULL DEFAULT now(),
  parcel_count          bigint      NOT NULL DEFAULT 0,
  parcel_grams          bigint      NOT NULL DEFAULT 0,
  version               bigint      NOT NULL DEFAULT 0,
  changed_at            timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT schedule_is_unique PRIMARY KEY (schedule_code),
  CONSTRAINT schedule_code_is_positive CHECK (schedule_code > 0),
  CONSTRAINT schedule_shift_is_known CHECK (shift IN ('DAY', 'NIGHT', 'NIGHT_AND_DAY')),
  CONSTRAINT schedule_quantity_is_positive CHECK (quantity_grams > 0),
  CONSTRAINT schedule_versions_not_negative CHECK (least(order_epoch, order_version, version) >= 0),
  CONSTRAINT schedule_parcels_not_negative CHECK (
    parcel_count >= 0 AND parcel_grams >= 0 AND (parcel_count > 0) = (parcel_grams > 0))
) WITH (
  -- Every parcel rewrites the totals, which no index holds.
  fillfactor = 60
);
COMMENT ON TABLE schedule IS 'Up to heard_at Grandpass''s word as copied; the parcel totals are ours.';
COMMENT ON COLUMN schedule.version IS 'Raised by every change of ours that Grandpass must know; 0: nothing said yet.';

-- Serves the open schedules of an order.
CREATE INDEX schedule_by_order ON schedule (order_code, schedule_code);

GRANT SELECT, INSERT, UPDATE ON schedule TO mtp_app;
GRANT SELECT ON schedule TO mtp_reader;

COMMIT;
