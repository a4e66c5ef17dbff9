-- Revert processing:item from pg

BEGIN;

DROP TABLE blendbalance;
DROP TABLE herbline;
DROP TABLE tealine;
DROP TABLE item;

COMMIT;
