-- Deploy processing:stock_import to pg
-- requires: bag

BEGIN;

CREATE TABLE stock_import (
  import_id            uuid        NOT NULL,
  file_digest          bytea       NOT NULL,
  file_name            text        NOT NULL DEFAULT '',
  stored               boolean     NOT NULL,
  row_count            bigint      NOT NULL,
  bad_row_count        bigint      NOT NULL DEFAULT 0,
  fault_count          bigint      NOT NULL DEFAULT 0,
  net_grams            bigint      NOT NULL DEFAULT 0,
  imported_by          text        NOT NULL DEFAULT '',
  imported_by_username text        NOT NULL DEFAULT '',
  imported_by_role     text        NOT NULL DEFAULT '',
  imported_at          timestamptz NOT NULL DEFAULT now(),
  correlation_id       text        NOT NULL DEFAULT '',
  CONSTRAINT stock_import_is_unique PRIMARY KEY (import_id),
  CONSTRAINT stock_import_digest_is_sha256 CHECK (octet_length(file_digest) = 32),
  CONSTRAINT stock_import_is_stored_without_faults CHECK (stored = (fault_count = 0)),
  CONSTRAINT stock_import_counts_not_negative CHECK (least(row_count, bad_row_count, fault_count, net_grams) >= 0)
);
COMMENT ON TABLE stock_import IS 'Each file of opening stock that was sent to be stored, refused ones included.';

-- Serves ImportOpeningStock: the same file again changes nothing.
CREATE UNIQUE INDEX stock_import_file_is_stored_once ON stock_import (file_digest) WHERE stored;

CREATE TABLE stock_import_fault (
  import_id    uuid   NOT NULL,
  fault_number bigint NOT NULL,
  line         bigint NOT NULL,
  column_name  text   NOT NULL DEFAULT '',
  value        text   NOT NULL DEFAULT '',
  reason       text   NOT NULL,
  message      text   NOT NULL DEFAULT '',
  CONSTRAINT stock_import_fault_is_unique PRIMARY KEY (import_id, fault_number),
  CONSTRAINT stock_import_fault_is_of_an_import FOREIGN KEY (import_id) REFERENCES stock_import (import_id),
  CONSTRAINT stock_import_fault_has_reason CHECK (reason <> '')
);
COMMENT ON TABLE stock_import_fault IS 'The faults in the rows of a refused file, in the order of the rows.';

CREATE TRIGGER stock_import_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_import
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER stock_import_fault_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_import_fault
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON stock_import, stock_import_fault TO mtp_app;
GRANT SELECT ON stock_import, stock_import_fault TO mtp_reader;

COMMIT;
