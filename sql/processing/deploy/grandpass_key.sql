-- Deploy processing:grandpass_key to pg
-- requires: sync:sync_schema

BEGIN;

CREATE TABLE grandpass_key (
  key_id   text        NOT NULL,
  jwk      jsonb       NOT NULL,
  heard_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT grandpass_key_is_unique PRIMARY KEY (key_id),
  CONSTRAINT grandpass_key_is_public CHECK (NOT jwk ? 'd' AND NOT jwk ? 'k')
);
COMMENT ON TABLE grandpass_key IS 'The public keys of people''s tokens as Grandpass told them last: a start during its outage knows them.';

GRANT SELECT, INSERT, UPDATE, DELETE ON grandpass_key TO mtp_app;
GRANT SELECT ON grandpass_key TO mtp_reader;

COMMIT;
