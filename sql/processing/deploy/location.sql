-- Deploy processing:location to pg
-- requires: sync:sync_schema

BEGIN;

CREATE TABLE location (
  location_id         uuid        NOT NULL,
  name                text        NOT NULL,
  herb_section        boolean     NOT NULL,
  version             bigint      NOT NULL DEFAULT 1,
  created_by          text        NOT NULL DEFAULT '',
  created_by_username text        NOT NULL DEFAULT '',
  created_by_role     text        NOT NULL DEFAULT '',
  created_at          timestamptz NOT NULL DEFAULT now(),
  changed_at          timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT location_is_unique PRIMARY KEY (location_id),
  CONSTRAINT location_name_is_unique UNIQUE (name),
  CONSTRAINT location_has_name CHECK (name <> ''),
  -- What the herb rule of bag refers to.
  CONSTRAINT location_has_one_herb_section UNIQUE (location_id, herb_section)
);
COMMENT ON TABLE location IS 'A store place; herbs lie in herb sections only, everything else outside them only.';
COMMENT ON COLUMN location.herb_section IS 'Cannot change while a bag has its place here.';

GRANT USAGE ON SCHEMA public TO mtp_app, mtp_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON location TO mtp_app;
GRANT SELECT ON location TO mtp_reader;

COMMIT;
