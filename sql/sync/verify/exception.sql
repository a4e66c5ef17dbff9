-- Verify sync:exception on pg

BEGIN;

SELECT
  exception_id, kind, things, amounts, description, must_act, acting_side, dedupe_key, opened_at, correlation_id,
  closed_at, closed_by, closed_by_username, closed_by_role, closed_reason
FROM sync.exception WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.exception'::regclass AND convalidated AND conname IN (
      'exception_closing_is_whole', 'exception_is_unique', 'exception_kind_is_named', 'exception_names_things',
      'exception_role_is_known', 'exception_side_is_known')),
    'sync.exception: a constraint is missing';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'sync.exception'::regclass AND i.indisvalid AND c.relname IN (
      'exception_by_thing', 'exception_is_open_once', 'exception_open_by_id')),
    'sync.exception: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'sync.exception', 'SELECT')
    AND has_table_privilege('mtp_app', 'sync.exception', 'INSERT')
    AND has_table_privilege('mtp_app', 'sync.exception', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'sync.exception', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'sync.exception', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'sync.exception', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sync.exception: grants';
END
$$;

ROLLBACK;
