-- Deploy order:signing_key to pg
-- requires: user_account

BEGIN;

CREATE TABLE admin.signing_key (
  key_id      text        NOT NULL,
  algorithm   text        NOT NULL DEFAULT 'ES256',
  private_key bytea       NOT NULL,
  public_jwk  jsonb       NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  signs_from  timestamptz NOT NULL,
  signs_until timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  CONSTRAINT signing_key_is_unique PRIMARY KEY (key_id),
  CONSTRAINT signing_key_has_id CHECK (key_id <> ''),
  CONSTRAINT signing_key_algorithm_is_es256 CHECK (algorithm = 'ES256'),
  CONSTRAINT signing_key_times_in_order CHECK (signs_from < signs_until AND signs_until <= valid_until)
);
COMMENT ON TABLE admin.signing_key IS 'Published from creation until valid_until; signs between signs_from and signs_until.';

-- Serves choosing the key that signs now.
CREATE INDEX signing_key_by_signs_until ON admin.signing_key (signs_until);

GRANT SELECT, INSERT, UPDATE, DELETE ON admin.signing_key TO mtp_app;
-- Readers see the public half.
GRANT SELECT (key_id, algorithm, public_jwk, created_at, signs_from, signs_until, valid_until)
  ON admin.signing_key TO mtp_reader;

COMMIT;
