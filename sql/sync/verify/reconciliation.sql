-- Verify sync:reconciliation on pg

BEGIN;

SELECT
  run_id, cause, report_only, requested_by, requested_by_username, requested_by_role, correlation_id, started_at,
  finished_at, compared_count, drift_count, repaired_count, error
FROM sync.reconcile_run WHERE false;

SELECT
  drift_id, run_id, kind, key, owner, cause, differences, owner_version, copy_version, found_at, repaired_at,
  repaired_version, why
FROM sync.drift WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.reconcile_run'::regclass AND convalidated AND conname IN (
      'reconcile_run_cause_is_known', 'reconcile_run_counts_not_negative', 'reconcile_run_is_unique')),
    'sync.reconcile_run: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'sync.reconcile_run'::regclass AND i.indisvalid AND c.relname IN (
      'reconcile_run_by_start')),
    'sync.reconcile_run: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'sync.reconcile_run', 'SELECT')
    AND has_table_privilege('mtp_app', 'sync.reconcile_run', 'INSERT')
    AND has_table_privilege('mtp_app', 'sync.reconcile_run', 'UPDATE')
    AND has_table_privilege('mtp_app', 'sync.reconcile_run', 'DELETE')
    AND has_table_privilege('mtp_reader', 'sync.reconcile_run', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'sync.reconcile_run', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sync.reconcile_run: grants';
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.drift'::regclass AND convalidated AND conname IN (
      'drift_cause_is_known', 'drift_is_of_a_run', 'drift_is_unique', 'drift_owner_is_known')),
    'sync.drift: a constraint is missing';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'sync.drift'::regclass AND i.indisvalid AND c.relname IN (
      'drift_by_run', 'drift_by_thing', 'drift_open')),
    'sync.drift: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'sync.drift', 'SELECT')
    AND has_table_privilege('mtp_app', 'sync.drift', 'INSERT')
    AND has_table_privilege('mtp_app', 'sync.drift', 'UPDATE')
    AND has_table_privilege('mtp_app', 'sync.drift', 'DELETE')
    AND has_table_privilege('mtp_reader', 'sync.drift', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'sync.drift', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sync.drift: grants';
END
$$;

ROLLBACK;
