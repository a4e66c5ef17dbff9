-- Revert processing:grandpass_key from pg

BEGIN;

DROP TABLE grandpass_key;

COMMIT;
