-- Deploy processing:parcel to pg
-- requires: allocation
-- requires: schedule

BEGIN;

CREATE TABLE parcel (
  parcel_id            uuid        NOT NULL,
  allocation_id        uuid        NOT NULL,
  schedule_code        bigint      NOT NULL,
  grams                bigint      NOT NULL,
  created_by           text        NOT NULL DEFAULT '',
  created_by_username  text        NOT NULL DEFAULT '',
  created_by_role      text        NOT NULL DEFAULT '',
  created_at           timestamptz NOT NULL DEFAULT now(),
  occurred_at          timestamptz NOT NULL DEFAULT now(),
  released_at          timestamptz,
  released_by          text        NOT NULL DEFAULT '',
  released_by_username text        NOT NULL DEFAULT '',
  released_by_role     text        NOT NULL DEFAULT '',
  release_remarks      text        NOT NULL DEFAULT '',
  CONSTRAINT parcel_is_unique PRIMARY KEY (parcel_id),
  CONSTRAINT parcel_is_of_an_allocation FOREIGN KEY (allocation_id) REFERENCES allocation (allocation_id),
  CONSTRAINT parcel_goes_to_a_schedule FOREIGN KEY (schedule_code) REFERENCES schedule (schedule_code),
  CONSTRAINT parcel_is_positive CHECK (grams > 0)
);
COMMENT ON TABLE parcel IS 'A part of an accepted shipment''s allocation, given to a schedule of the same order; consumes nothing more.';

-- Serves the parcels of an allocation: trace forward.
CREATE INDEX parcel_by_allocation ON parcel (allocation_id);
-- Serves ListParcels of a schedule, trace backward.
CREATE INDEX parcel_by_schedule ON parcel (schedule_code, parcel_id);

GRANT SELECT, INSERT, UPDATE ON parcel TO mtp_app;
GRANT SELECT ON parcel TO mtp_reader;

COMMIT;
