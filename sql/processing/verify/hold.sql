-- Verify processing:hold on pg

BEGIN;

SELECT
  hold_id, reason, held_by, held_by_username, held_by_role, held_at, occurred_at, released_by, released_by_username,
  released_by_role, released_at, release_reason, correlation_id
FROM public.hold WHERE false;

SELECT
  barcode, hold_id, released_at
FROM public.hold_bag WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.hold'::regclass AND convalidated AND conname IN (
      'hold_has_reason', 'hold_is_unique', 'hold_release_has_reason')),
    'hold: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'public.hold', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.hold', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.hold', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.hold', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.hold', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.hold', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'hold: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.hold_bag'::regclass AND convalidated AND conname IN (
      'hold_bag_is_of_a_bag', 'hold_bag_is_of_a_hold', 'hold_bag_is_unique')),
    'hold_bag: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.hold_bag'::regclass AND i.indisvalid AND c.relname IN (
      'hold_bag_by_hold')),
    'hold_bag: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.hold_bag', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.hold_bag', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.hold_bag', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.hold_bag', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.hold_bag', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.hold_bag', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'hold_bag: grants';
END
$$;

ROLLBACK;
