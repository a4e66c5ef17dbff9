-- Revert sync:schema_version from pg

BEGIN;

ALTER DEFAULT PRIVILEGES IN SCHEMA sqitch REVOKE SELECT ON TABLES FROM mtp_app, mtp_reader;
REVOKE SELECT ON ALL TABLES IN SCHEMA sqitch FROM mtp_app, mtp_reader;
REVOKE USAGE ON SCHEMA sqitch FROM mtp_app, mtp_reader;

COMMIT;
