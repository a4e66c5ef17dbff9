-- Revert order:request_import_by_imported_at from pg

BEGIN;

DROP INDEX request_import_by_imported_at;

COMMIT;
