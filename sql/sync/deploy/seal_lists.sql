-- Deploy sync:seal_lists to pg
-- requires: audit_seal

BEGIN;

-- Serves ListStates of the peer's seals with given numbers, of whatever epoch.
CREATE INDEX peer_seal_by_number ON audit.peer_seal (seal_number, epoch);
-- Serve ListStates of all seals: keys are texts, ordered by their bytes.
CREATE INDEX seal_by_key ON audit.seal ((seal_number::text), epoch);
CREATE INDEX peer_seal_by_key ON audit.peer_seal ((seal_number::text), epoch);

COMMIT;
