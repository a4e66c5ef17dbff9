-- The roles of a cluster. Run as a superuser, with psql; running it again
-- changes nothing.
--
-- No role gets a password here: how a role proves itself is pg_hba.conf's to
-- say, and where that asks for a password, whoever deploys sets it
-- (\password mtp_app).
\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['mtp_owner', 'mtp_app', 'mtp_reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name)
\gexec

-- Owns everything and migrates. A migration that cannot get its lock gives up
-- instead of queueing the whole service behind it.
ALTER ROLE mtp_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE mtp_owner SET lock_timeout = '10s';

-- The services. Owns nothing. A statement or an open transaction that outlives
-- any deadline of a caller ends; a lock is waited for less long than that, for
-- all take them in one order and hold them for milliseconds.
ALTER ROLE mtp_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE mtp_app SET statement_timeout = '30s';
ALTER ROLE mtp_app SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE mtp_app SET lock_timeout = '10s';

-- People and reports that look. Writes nothing.
ALTER ROLE mtp_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE mtp_reader SET default_transaction_read_only = on;
ALTER ROLE mtp_reader SET statement_timeout = '5min';
ALTER ROLE mtp_reader SET idle_in_transaction_session_timeout = '60s';
