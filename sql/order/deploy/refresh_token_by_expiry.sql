-- Deploy order:refresh_token_by_expiry to pg
-- requires: session

BEGIN;

-- Serves the removal of refresh tokens that have expired.
CREATE INDEX refresh_token_by_expiry ON admin.refresh_token (expires_at);

COMMIT;
