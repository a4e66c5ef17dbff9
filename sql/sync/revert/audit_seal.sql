-- Revert sync:audit_seal from pg

BEGIN;

DROP TABLE audit.peer_seal;
DROP TABLE audit.seal;

COMMIT;
