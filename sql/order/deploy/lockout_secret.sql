-- Deploy order:lockout_secret to pg
-- requires: unknown_sign_in

BEGIN;

-- The digest of a name in admin.unknown_sign_in is keyed with it: else anybody
-- could find a name in the bucket of another one, lock it, and see whether the
-- other is somebody's. One row; nobody but the service reads it.
CREATE TABLE admin.lockout_secret (
  secret bytea NOT NULL,
  CONSTRAINT lockout_secret_is_unique PRIMARY KEY (secret)
);
COMMENT ON TABLE admin.lockout_secret IS 'Keys the digests of names that nobody has.';
INSERT INTO admin.lockout_secret
SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
-- What was counted under the old digests is nobody's any more.
DELETE FROM admin.unknown_sign_in;

GRANT SELECT ON admin.lockout_secret TO mtp_app;

COMMIT;
