-- Deploy processing:revoked_user to pg
-- requires: sync:sync_schema

BEGIN;

CREATE TABLE revoked_user (
  subject          uuid        NOT NULL,
  disabled         boolean     NOT NULL,
  revoked_before   timestamptz NOT NULL,
  order_epoch      bigint      NOT NULL DEFAULT 0,
  order_version    bigint      NOT NULL DEFAULT 0,
  order_changed_at timestamptz,
  heard_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT revoked_user_is_unique PRIMARY KEY (subject),
  CONSTRAINT revoked_user_versions_not_negative CHECK (least(order_epoch, order_version) >= 0)
);
COMMENT ON TABLE revoked_user IS 'Tokens of the subject issued before revoked_before are refused; all of them while disabled.';

-- Serves the service's memory of revocations: what was heard since the last look.
CREATE INDEX revoked_user_by_heard_at ON revoked_user (heard_at);

GRANT SELECT, INSERT, UPDATE ON revoked_user TO mtp_app;
GRANT SELECT ON revoked_user TO mtp_reader;

COMMIT;
