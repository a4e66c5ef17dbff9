-- Deploy sync:schema_version to pg
-- requires: sync_schema

BEGIN;

GRANT USAGE ON SCHEMA sqitch TO mtp_app, mtp_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA sqitch TO mtp_app, mtp_reader;
-- For the tables that a newer sqitch may add.
ALTER DEFAULT PRIVILEGES IN SCHEMA sqitch GRANT SELECT ON TABLES TO mtp_app, mtp_reader;

COMMIT;
