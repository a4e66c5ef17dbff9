-- Revert processing:parcel from pg

BEGIN;

DROP TABLE parcel;

COMMIT;
