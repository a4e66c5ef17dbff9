-- Deploy sync:audit_seal to pg
-- requires: audit_entry

BEGIN;

CREATE TABLE audit.seal (
  seal_number     bigint      NOT NULL,
  epoch           bigint      NOT NULL,
  last_entry_id   bigint      NOT NULL,
  entry_count     bigint      NOT NULL,
  previous_digest bytea       NOT NULL,
  digest          bytea       NOT NULL,
  sealed_at       timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT seal_is_unique PRIMARY KEY (seal_number),
  CONSTRAINT seal_ends_once UNIQUE (last_entry_id),
  CONSTRAINT seal_numbers_are_positive CHECK (seal_number > 0 AND epoch > 0 AND last_entry_id > 0),
  CONSTRAINT seal_count_within_interval CHECK (entry_count BETWEEN 0 AND last_entry_id),
  CONSTRAINT seal_digests_are_sha256 CHECK (octet_length(previous_digest) = 32 AND octet_length(digest) = 32)
);
COMMENT ON TABLE audit.seal IS 'Each seals the entries after the last of the seal before, up to last_entry_id, and that seal itself.';
COMMENT ON COLUMN audit.seal.previous_digest IS 'Of seal_number - 1; 32 zero bytes for the first.';

CREATE TABLE audit.peer_seal (
  epoch           bigint      NOT NULL,
  seal_number     bigint      NOT NULL,
  last_entry_id   bigint      NOT NULL,
  entry_count     bigint      NOT NULL,
  previous_digest bytea       NOT NULL,
  digest          bytea       NOT NULL,
  sealed_at       timestamptz NOT NULL,
  heard_at        timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT peer_seal_is_unique PRIMARY KEY (epoch, seal_number),
  CONSTRAINT peer_seal_digests_are_sha256 CHECK (octet_length(previous_digest) = 32 AND octet_length(digest) = 32)
);
COMMENT ON TABLE audit.peer_seal IS 'The peer''s seals as it told them, of every epoch: it cannot rewrite its past alone.';

CREATE TRIGGER seal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.seal
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER peer_seal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.peer_seal
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT ON audit.seal, audit.peer_seal TO mtp_app;
GRANT SELECT ON audit.seal, audit.peer_seal TO mtp_reader;

COMMIT;
