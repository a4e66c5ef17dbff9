-- Revert processing:hold from pg

BEGIN;

DROP TABLE hold_bag;
DROP TABLE hold;

COMMIT;
