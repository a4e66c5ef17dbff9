-- Revert sync:outbox from pg

BEGIN;

DROP SEQUENCE sync.lease_token_seq;
DROP TABLE sync.outbox;

COMMIT;
