-- Verify sync:schema_version on pg

BEGIN;

DO $$
BEGIN
  ASSERT has_schema_privilege('mtp_app', 'sqitch', 'USAGE') AND has_schema_privilege('mtp_reader', 'sqitch', 'USAGE')
    AND has_table_privilege('mtp_app', 'sqitch.changes', 'SELECT')
    AND has_table_privilege('mtp_reader', 'sqitch.changes', 'SELECT')
    AND NOT has_table_privilege('mtp_app', 'sqitch.changes', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sqitch: grants';
END
$$;

ROLLBACK;
