-- Revert sync:idempotency_key from pg

BEGIN;

DROP TABLE sync.idempotency_key;

COMMIT;
