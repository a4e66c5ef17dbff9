-- Verify order:lockout_secret on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 1 FROM admin.lockout_secret WHERE octet_length(secret) = 32), 'there is no secret';
  ASSERT NOT has_table_privilege('mtp_reader', 'admin.lockout_secret', 'SELECT'), 'people read the secret';
END
$$;

ROLLBACK;
