-- Deploy order:schedule to pg
-- requires: sync:sync_schema

BEGIN;

CREATE SEQUENCE schedule_code_seq AS bigint;

CREATE TABLE schedule (
  schedule_code         bigint      NOT NULL DEFAULT nextval('schedule_code_seq'),
  schedule_date         date        NOT NULL,
  order_code            text        NOT NULL,
  shift                 text        NOT NULL,
  section               text        NOT NULL,
  quantity_grams        bigint      NOT NULL,
  completed             boolean     NOT NULL DEFAULT false,
  completed_at          timestamptz,
  completed_by          text        NOT NULL DEFAULT '',
  completed_by_username text        NOT NULL DEFAULT '',
  completed_by_role     text        NOT NULL DEFAULT '',
  recovered             boolean     NOT NULL DEFAULT false,
  version               bigint      NOT NULL DEFAULT 1,
  changed_at            timestamptz NOT NULL DEFAULT now(),
  created_by            text        NOT NULL DEFAULT '',
  created_by_username   text        NOT NULL DEFAULT '',
  created_by_role       text        NOT NULL DEFAULT '',
  created_at            timestamptz NOT NULL DEFAULT now(),
  progress_epoch        bigint      NOT NULL DEFAULT 0,
  progress_version      bigint      NOT NULL DEFAULT 0,
  progress_changed_at   timestamptz,
  progress_heard_at     timestamptz,
  parcel_count          bigint      NOT NULL DEFAULT 0,
  parcel_grams          bigint      NOT NULL DEFAULT 0,
  CONSTRAINT schedule_is_unique PRIMARY KEY (schedule_code),
  CONSTRAINT schedule_code_is_positive CHECK (schedule_code > 0),
  CONSTRAINT schedule_has_order CHECK (order_code <> ''),
  CONSTRAINT schedule_shift_is_known CHECK (shift IN ('DAY', 'NIGHT', 'NIGHT_AND_DAY')),
  CONSTRAINT schedule_quantity_is_positive CHECK (quantity_grams > 0),
  CONSTRAINT schedule_version_is_positive CHECK (version > 0),
  CONSTRAINT schedule_completion_has_time CHECK (completed = (completed_at IS NOT NULL)),
  CONSTRAINT schedule_progress_not_negative CHECK (
    least(progress_epoch, progress_version, parcel_count, parcel_grams) >= 0)
) WITH (
  -- Parcel totals come again and again, in columns that no index holds.
  fillfactor = 80
);
ALTER SEQUENCE schedule_code_seq OWNED BY schedule.schedule_code;
COMMENT ON TABLE schedule IS 'A day''s work of one order; from progress_epoch on all is Seeduwa''s word.';
COMMENT ON COLUMN schedule.version IS 'Raised by every change of ours that Seeduwa must know; also the etag.';

-- Serves ListSchedules of a day.
CREATE INDEX schedule_by_date ON schedule (schedule_date, schedule_code);
-- Serves ListSchedules of an order.
CREATE INDEX schedule_by_order ON schedule (order_code, schedule_code);

GRANT SELECT, INSERT, UPDATE ON schedule TO mtp_app;
GRANT SELECT, USAGE, UPDATE ON SEQUENCE schedule_code_seq TO mtp_app;
GRANT SELECT ON schedule, schedule_code_seq TO mtp_reader;

COMMIT;
