-- Revert sync:audit_entry from pg

BEGIN;

DROP TABLE audit.entry;
DROP SCHEMA audit;

COMMIT;
