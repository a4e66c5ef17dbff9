-- Deploy sync:sync_schema to pg

BEGIN;

CREATE SCHEMA sync;
COMMENT ON SCHEMA sync IS 'The link to the other side: idempotency keys, outbox, epochs, dead letters, exceptions, reconciliation.';
GRANT USAGE ON SCHEMA sync TO mtp_app, mtp_reader;

-- What is written once stays as it was, also for whoever has more rights
-- than the application role.
CREATE FUNCTION sync.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
    USING ERRCODE = 'restrict_violation';
END
$$;

COMMIT;
