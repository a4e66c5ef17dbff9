-- Deploy order:session to pg
-- requires: user_account

BEGIN;

CREATE TABLE admin.session (
  session_id        uuid        NOT NULL,
  subject           uuid        NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now(),
  last_refreshed_at timestamptz NOT NULL DEFAULT now(),
  expires_at        timestamptz NOT NULL,
  ended_at          timestamptz,
  end_reason        text,
  client            text        NOT NULL DEFAULT '',
  CONSTRAINT session_is_unique PRIMARY KEY (session_id),
  CONSTRAINT session_is_of_a_user FOREIGN KEY (subject) REFERENCES admin.user_account (subject) ON DELETE CASCADE,
  CONSTRAINT session_end_reason_is_known CHECK (end_reason IN (
    'SIGNED_OUT', 'TOKEN_REUSED', 'PASSWORD_CHANGED', 'USER_CHANGED', 'USER_DISABLED', 'EXPIRED')),
  CONSTRAINT session_end_is_whole CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
COMMENT ON TABLE admin.session IS 'One sign-in and all refreshes after it.';

-- Serves ending all sessions of a user, and the cascade.
CREATE INDEX session_by_subject ON admin.session (subject);
-- Serves the purge.
CREATE INDEX session_by_expiry ON admin.session (expires_at);

CREATE TABLE admin.refresh_token (
  token_digest bytea       NOT NULL,
  session_id   uuid        NOT NULL,
  issued_at    timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz,
  CONSTRAINT refresh_token_is_unique PRIMARY KEY (token_digest),
  CONSTRAINT refresh_token_digest_is_sha256 CHECK (octet_length(token_digest) = 32),
  CONSTRAINT refresh_token_is_of_a_session FOREIGN KEY (session_id) REFERENCES admin.session (session_id) ON DELETE CASCADE,
  CONSTRAINT refresh_token_expires_later CHECK (issued_at < expires_at)
);
COMMENT ON TABLE admin.refresh_token IS 'Digests only. One that is presented after used_at ends its session.';

-- Serves the cascade, and that at most one token of a session is unused.
CREATE INDEX refresh_token_by_session ON admin.refresh_token (session_id);
CREATE UNIQUE INDEX refresh_token_is_one_per_session ON admin.refresh_token (session_id) WHERE used_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON admin.session, admin.refresh_token TO mtp_app;
-- Not the tokens: no reader needs them.
GRANT SELECT ON admin.session TO mtp_reader;

COMMIT;
