-- Revert processing:bag_dispatch from pg

BEGIN;

DROP TABLE bag_return;
DROP TABLE bag_dispatch;

COMMIT;
