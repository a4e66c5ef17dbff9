-- Deploy order:request_import_by_imported_at to pg
-- requires: request_import

BEGIN;

-- Serves ListRequestImports by time.
CREATE INDEX request_import_by_imported_at ON request_import (imported_at, import_id);

COMMIT;
