-- Revert sync:seal_lists from pg

BEGIN;

DROP INDEX audit.peer_seal_by_key;
DROP INDEX audit.seal_by_key;
DROP INDEX audit.peer_seal_by_number;

COMMIT;
