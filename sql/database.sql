-- A database of the platform. Run as a superuser, with psql, after roles.sql;
-- running it again changes nothing. Its name is tea_management unless
-- -v database=NAME says otherwise.
\set ON_ERROR_STOP on
\if :{?database}
\else
  \set database tea_management
\endif

-- Text is ordered by its bytes: the same on both sides, whatever the machine.
SELECT format('CREATE DATABASE %I OWNER mtp_owner TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C'' LC_CTYPE ''C.UTF-8''',
              :'database')
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = :'database')
\gexec

REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO mtp_app, mtp_reader;

\connect :"database"
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- PostgreSQL 14 leaves the schema with the superuser.
ALTER SCHEMA public OWNER TO mtp_owner;
