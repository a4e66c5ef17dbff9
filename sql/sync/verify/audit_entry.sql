-- Verify sync:audit_entry on pg

BEGIN;

SELECT
  entry_id, occurred_at, recorded_at, caller, username, role, method, request_id, correlation_id, remote_address,
  remarks, entity_kind, entity_key, action, change
FROM audit.entry WHERE false;

DO $$
BEGIN
  ASSERT has_schema_privilege('mtp_app', 'audit', 'USAGE') AND has_schema_privilege('mtp_reader', 'audit', 'USAGE')
    AND NOT has_schema_privilege('mtp_app', 'audit', 'CREATE'),
    'schema audit: grants';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'audit.entry'::regclass AND convalidated AND conname IN (
      'entry_is_unique')),
    'audit.entry: a constraint is missing';
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'audit.entry'::regclass AND i.indisvalid AND c.relname IN (
      'entry_by_caller', 'entry_by_correlation_id', 'entry_by_entity', 'entry_by_recorded_at')),
    'audit.entry: an index is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'audit.entry'::regclass AND tgenabled = 'O' AND tgname IN ('entry_is_append_only')),
    'audit.entry: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'audit.entry', 'SELECT')
    AND has_table_privilege('mtp_app', 'audit.entry', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'audit.entry', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'audit.entry', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'audit.entry', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'audit.entry: grants';
END
$$;

ROLLBACK;
