-- Deploy order:revocation to pg
-- requires: user_account

BEGIN;

-- Not a part of user_account: a deleted user stays revoked.
CREATE TABLE admin.revocation (
  subject        uuid        NOT NULL,
  username       text        NOT NULL DEFAULT '',
  disabled       boolean     NOT NULL,
  revoked_before timestamptz NOT NULL,
  version        bigint      NOT NULL DEFAULT 1,
  changed_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT revocation_is_one_per_subject PRIMARY KEY (subject),
  CONSTRAINT revocation_version_is_positive CHECK (version > 0)
);
COMMENT ON TABLE admin.revocation IS 'Tokens of the subject issued before revoked_before are refused; all of them while disabled.';

-- Serves the services' memory of revocations: what changed since the last look.
CREATE INDEX revocation_by_changed_at ON admin.revocation (changed_at);

GRANT SELECT, INSERT, UPDATE ON admin.revocation TO mtp_app;
GRANT SELECT ON admin.revocation TO mtp_reader;

COMMIT;
