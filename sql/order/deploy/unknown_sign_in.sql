-- Deploy order:unknown_sign_in to pg
-- requires: user_account

BEGIN;

-- Sixteen bits of a digest of the name: no more rows than that however many
-- names are tried, and nothing that tells what was typed, a password in the
-- wrong field included.
CREATE TABLE admin.unknown_sign_in (
  bucket          bigint      NOT NULL,
  failed_sign_ins bigint      NOT NULL DEFAULT 0,
  last_failed_at  timestamptz,
  locked_until    timestamptz,
  CONSTRAINT unknown_sign_in_is_unique PRIMARY KEY (bucket),
  CONSTRAINT unknown_sign_in_bucket_has_16_bits CHECK (bucket BETWEEN 0 AND 65535),
  CONSTRAINT unknown_sign_in_failures_not_negative CHECK (failed_sign_ins >= 0)
);
COMMENT ON TABLE admin.unknown_sign_in IS 'Sign-ins under names that nobody has, counted as those of users are, so that a lock does not tell who exists.';

GRANT SELECT, INSERT, UPDATE, DELETE ON admin.unknown_sign_in TO mtp_app;
GRANT SELECT ON admin.unknown_sign_in TO mtp_reader;

COMMIT;
