-- Deploy order:user_account to pg
-- requires: sync:sync_schema

BEGIN;

CREATE SCHEMA admin;
COMMENT ON SCHEMA admin IS 'Users, their sessions, and the keys that sign their tokens.';
GRANT USAGE ON SCHEMA admin TO mtp_app, mtp_reader;

CREATE TABLE admin.user_account (
  subject              uuid        NOT NULL,
  username             text        NOT NULL,
  role                 text        NOT NULL,
  password_hash        text        NOT NULL,
  must_change_password boolean     NOT NULL DEFAULT false,
  password_changed_at  timestamptz NOT NULL DEFAULT now(),
  disabled             boolean     NOT NULL DEFAULT false,
  disabled_at          timestamptz,
  failed_sign_ins      bigint      NOT NULL DEFAULT 0,
  last_failed_at       timestamptz,
  locked_until         timestamptz,
  last_signed_in_at    timestamptz,
  version              bigint      NOT NULL DEFAULT 1,
  created_by           text        NOT NULL DEFAULT '',
  created_by_username  text        NOT NULL DEFAULT '',
  created_by_role      text        NOT NULL DEFAULT '',
  created_at           timestamptz NOT NULL DEFAULT now(),
  changed_at           timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT user_account_is_unique PRIMARY KEY (subject),
  CONSTRAINT user_account_has_username CHECK (username <> ''),
  CONSTRAINT user_account_role_is_known CHECK (role IN (
    'MASTER_ADMIN', 'GRANDPASS_ADMIN', 'SEEDUWA_ADMIN', 'GRANDPASS_OFFICER', 'GRANDPASS_SUPERVISOR',
    'SEEDUWA_OFFICER', 'SEEDUWA_OPERATOR', 'GRANDPASS_GATEPASS', 'GRANDPASS_DEV_MACHINE',
    'TRADER_OFFICER', 'TRADER_SUPERVISOR')),
  CONSTRAINT user_account_password_is_argon2id CHECK (password_hash LIKE '$argon2id$%'),
  CONSTRAINT user_account_failures_not_negative CHECK (failed_sign_ins >= 0),
  CONSTRAINT user_account_disabled_has_time CHECK (disabled = (disabled_at IS NOT NULL))
);
COMMENT ON TABLE admin.user_account IS 'Local identities; empty where the company''s provider is used.';
COMMENT ON COLUMN admin.user_account.version IS 'The etag; guesses of passwords do not raise it.';

-- Serves SignIn, and keeps two people from names that differ in case alone.
CREATE UNIQUE INDEX user_account_username_is_unique ON admin.user_account (lower(username));
-- Serves ListGroups and ListUsers of a group.
CREATE INDEX user_account_by_role ON admin.user_account (role, lower(username));

CREATE TABLE admin.first_admin (
  singleton boolean     NOT NULL DEFAULT true,
  subject   uuid        NOT NULL,
  made_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT first_admin_is_made_once PRIMARY KEY (singleton),
  CONSTRAINT first_admin_row_is_the_one CHECK (singleton)
);
COMMENT ON TABLE admin.first_admin IS 'The one-time command that makes the first MASTER_ADMIN has been used.';

GRANT SELECT, INSERT, UPDATE, DELETE ON admin.user_account TO mtp_app;
GRANT SELECT, INSERT ON admin.first_admin TO mtp_app;
-- Readers see who there is, not how they prove it.
GRANT SELECT (subject, username, role, must_change_password, password_changed_at, disabled, disabled_at,
              failed_sign_ins, last_failed_at, locked_until, last_signed_in_at, version, created_by,
              created_by_username, created_by_role, created_at, changed_at)
  ON admin.user_account TO mtp_reader;
GRANT SELECT ON admin.first_admin TO mtp_reader;

COMMIT;
