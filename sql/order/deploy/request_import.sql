-- Deploy order:request_import to pg
-- requires: order_request

BEGIN;

CREATE TABLE request_import (
  import_id               uuid        NOT NULL,
  file_digest             bytea       NOT NULL,
  file_name               text        NOT NULL DEFAULT '',
  stored                  boolean     NOT NULL,
  row_count               bigint      NOT NULL,
  created_request_count   bigint      NOT NULL DEFAULT 0,
  unchanged_request_count bigint      NOT NULL DEFAULT 0,
  bad_row_count           bigint      NOT NULL DEFAULT 0,
  fault_count             bigint      NOT NULL DEFAULT 0,
  imported_by             text        NOT NULL DEFAULT '',
  imported_by_username    text        NOT NULL DEFAULT '',
  imported_by_role        text        NOT NULL DEFAULT '',
  imported_at             timestamptz NOT NULL DEFAULT now(),
  correlation_id          text        NOT NULL DEFAULT '',
  CONSTRAINT request_import_is_unique PRIMARY KEY (import_id),
  CONSTRAINT request_import_digest_is_sha256 CHECK (octet_length(file_digest) = 32),
  CONSTRAINT request_import_is_stored_without_faults CHECK (stored = (fault_count = 0)),
  CONSTRAINT request_import_took_every_row CHECK (
    NOT stored OR row_count = created_request_count + unchanged_request_count),
  CONSTRAINT request_import_counts_not_negative CHECK (
    least(row_count, created_request_count, unchanged_request_count, bad_row_count, fault_count) >= 0)
);
COMMENT ON TABLE request_import IS 'Each file of an old system''s open orders that was sent to be stored and was refused or brought something new.';
COMMENT ON COLUMN request_import.unchanged_request_count IS 'Rows whose reference an earlier import had taken over with the same content.';

CREATE TABLE order_request_raw (
  import_id    uuid   NOT NULL,
  line         bigint NOT NULL,
  reference    text   NOT NULL DEFAULT '',
  order_code   text   NOT NULL DEFAULT '',
  product_name text   NOT NULL DEFAULT '',
  item_code    text   NOT NULL DEFAULT '',
  quantity     text   NOT NULL DEFAULT '',
  requested_on text   NOT NULL DEFAULT '',
  special      text   NOT NULL DEFAULT '',
  comments     text   NOT NULL DEFAULT '',
  CONSTRAINT order_request_raw_is_unique PRIMARY KEY (import_id, line),
  CONSTRAINT order_request_raw_is_of_an_import FOREIGN KEY (import_id) REFERENCES request_import (import_id),
  CONSTRAINT order_request_raw_line_is_positive CHECK (line > 0)
);
COMMENT ON TABLE order_request_raw IS 'The rows of the stored files of open orders as they came, text as it was written.';
COMMENT ON COLUMN order_request_raw.line IS 'In its file, counted from 1 with the heading.';

CREATE TABLE request_import_fault (
  import_id    uuid   NOT NULL,
  fault_number bigint NOT NULL,
  line         bigint NOT NULL,
  column_name  text   NOT NULL DEFAULT '',
  value        text   NOT NULL DEFAULT '',
  reason       text   NOT NULL,
  message      text   NOT NULL DEFAULT '',
  CONSTRAINT request_import_fault_is_unique PRIMARY KEY (import_id, fault_number),
  CONSTRAINT request_import_fault_is_of_an_import FOREIGN KEY (import_id) REFERENCES request_import (import_id),
  CONSTRAINT request_import_fault_has_reason CHECK (reason <> '')
);
COMMENT ON TABLE request_import_fault IS 'The faults in the rows of a refused file, in the order of the rows.';

CREATE TRIGGER request_import_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request_import
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER order_request_raw_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_request_raw
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER request_import_fault_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request_import_fault
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON request_import, order_request_raw, request_import_fault TO mtp_app;
GRANT SELECT ON request_import, order_request_raw, request_import_fault TO mtp_reader;

COMMIT;
