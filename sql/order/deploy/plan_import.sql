-- Deploy order:plan_import to pg
-- requires: sync:sync_schema

BEGIN;

CREATE TABLE plan_import (
  import_id            uuid        NOT NULL,
  file_digest          bytea       NOT NULL,
  file_name            text        NOT NULL DEFAULT '',
  stored               boolean     NOT NULL,
  row_count            bigint      NOT NULL,
  plan_count           bigint      NOT NULL DEFAULT 0,
  created_plan_count   bigint      NOT NULL DEFAULT 0,
  updated_plan_count   bigint      NOT NULL DEFAULT 0,
  unchanged_plan_count bigint      NOT NULL DEFAULT 0,
  kept_plan_count      bigint      NOT NULL DEFAULT 0,
  bad_row_count        bigint      NOT NULL DEFAULT 0,
  fault_count          bigint      NOT NULL DEFAULT 0,
  imported_by          text        NOT NULL DEFAULT '',
  imported_by_username text        NOT NULL DEFAULT '',
  imported_by_role     text        NOT NULL DEFAULT '',
  imported_at          timestamptz NOT NULL DEFAULT now(),
  correlation_id       text        NOT NULL DEFAULT '',
  CONSTRAINT plan_import_is_unique PRIMARY KEY (import_id),
  CONSTRAINT plan_import_digest_is_sha256 CHECK (octet_length(file_digest) = 32),
  CONSTRAINT plan_import_is_stored_without_faults CHECK (stored = (fault_count = 0)),
  CONSTRAINT plan_import_bad_rows_have_faults CHECK (bad_row_count <= fault_count),
  CONSTRAINT plan_import_counts_not_negative CHECK (
    least(row_count, plan_count, created_plan_count, updated_plan_count, unchanged_plan_count, kept_plan_count,
          bad_row_count, fault_count) >= 0)
);
COMMENT ON TABLE plan_import IS 'Each planning file that was sent to be stored, refused ones included.';
COMMENT ON COLUMN plan_import.kept_plan_count IS 'Plans that differ but have requests: left as they are.';

-- Serves ImportPlans: the same file again changes nothing.
CREATE UNIQUE INDEX plan_import_file_is_stored_once ON plan_import (file_digest) WHERE stored;
-- Serves ListPlanImports by time.
CREATE INDEX plan_import_by_imported_at ON plan_import (imported_at, import_id);

CREATE TABLE order_plan_raw (
  import_id       uuid   NOT NULL,
  line            bigint NOT NULL,
  lot_code        text   NOT NULL DEFAULT '',
  order_code      text   NOT NULL DEFAULT '',
  item_code       text   NOT NULL DEFAULT '',
  production_date text   NOT NULL DEFAULT '',
  stock           text   NOT NULL DEFAULT '',
  requirement     text   NOT NULL DEFAULT '',
  location        text   NOT NULL DEFAULT '',
  product_code    text   NOT NULL DEFAULT '',
  product_name    text   NOT NULL DEFAULT '',
  item_name       text   NOT NULL DEFAULT '',
  sub_location    text   NOT NULL DEFAULT '',
  plan_start      text   NOT NULL DEFAULT '',
  plan_end        text   NOT NULL DEFAULT '',
  CONSTRAINT order_plan_raw_is_unique PRIMARY KEY (import_id, line),
  CONSTRAINT order_plan_raw_is_of_an_import FOREIGN KEY (import_id) REFERENCES plan_import (import_id),
  CONSTRAINT order_plan_raw_line_is_positive CHECK (line > 0)
);
COMMENT ON TABLE order_plan_raw IS 'The rows of the stored planning files as they came, text as it was written.';
COMMENT ON COLUMN order_plan_raw.line IS 'In its file, counted from 1 with the heading.';

CREATE TABLE plan_import_fault (
  import_id    uuid   NOT NULL,
  fault_number bigint NOT NULL,
  line         bigint NOT NULL,
  order_code   text   NOT NULL DEFAULT '',
  column_name  text   NOT NULL DEFAULT '',
  value        text   NOT NULL DEFAULT '',
  reason       text   NOT NULL,
  message      text   NOT NULL DEFAULT '',
  CONSTRAINT plan_import_fault_is_unique PRIMARY KEY (import_id, fault_number),
  CONSTRAINT plan_import_fault_is_of_an_import FOREIGN KEY (import_id) REFERENCES plan_import (import_id),
  CONSTRAINT plan_import_fault_has_reason CHECK (reason <> '')
);
COMMENT ON TABLE plan_import_fault IS 'The faults in the rows of a refused file, in the order of the rows.';
COMMENT ON COLUMN plan_import_fault.order_code IS 'As the row has it; the row itself is not kept.';

CREATE TABLE plan_import_kept (
  import_id   uuid   NOT NULL,
  order_code  text   NOT NULL,
  line        bigint NOT NULL,
  differences jsonb  NOT NULL,
  CONSTRAINT plan_import_kept_is_unique PRIMARY KEY (import_id, order_code),
  CONSTRAINT plan_import_kept_is_of_an_import FOREIGN KEY (import_id) REFERENCES plan_import (import_id)
);
COMMENT ON TABLE plan_import_kept IS 'Plans that a file would have changed, but that have requests.';
COMMENT ON COLUMN plan_import_kept.differences IS 'Field, kept value and the file''s value of each.';

CREATE TRIGGER plan_import_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_import
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER order_plan_raw_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_plan_raw
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER plan_import_fault_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_import_fault
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER plan_import_kept_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_import_kept
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT USAGE ON SCHEMA public TO mtp_app, mtp_reader;
GRANT SELECT, INSERT ON plan_import, order_plan_raw, plan_import_fault, plan_import_kept TO mtp_app;
GRANT SELECT ON plan_import, order_plan_raw, plan_import_fault, plan_import_kept TO mtp_reader;

COMMIT;
