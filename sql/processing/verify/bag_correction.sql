-- Verify processing:bag_correction on pg

BEGIN;

SELECT
  barcode, correction_id, old_gross_grams, old_tare_grams, old_net_grams, new_gross_grams, new_tare_grams,
  new_net_grams, reason, stocktake_id, corrected_by, corrected_by_username, corrected_by_role, occurred_at,
  recorded_at, correlation_id
FROM public.bag_correction WHERE false;

SELECT
  barcode, write_off_id, grams, reason, remarks, stocktake_id, written_off_by, written_off_by_username,
  written_off_by_role, occurred_at, recorded_at, correlation_id
FROM public.write_off WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 6 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.bag_correction'::regclass AND convalidated AND conname IN (
      'bag_correction_gross_is_net_and_tare', 'bag_correction_has_reason', 'bag_correction_is_of_a_bag',
      'bag_correction_is_of_its_stocktake', 'bag_correction_is_unique', 'bag_correction_weights_are_possible')),
    'bag_correction: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.bag_correction'::regclass AND tgenabled = 'O' AND tgname IN ('bag_correction_is_append_only')),
    'bag_correction: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.bag_correction', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.bag_correction', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.bag_correction', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.bag_correction', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.bag_correction', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'bag_correction: grants';
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.write_off'::regclass AND convalidated AND conname IN (
      'write_off_is_of_a_bag', 'write_off_is_of_its_stocktake', 'write_off_is_positive', 'write_off_is_unique',
      'write_off_reason_is_known')),
    'write_off: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.write_off'::regclass AND tgenabled = 'O' AND tgname IN ('write_off_is_append_only')),
    'write_off: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.write_off', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.write_off', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.write_off', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.write_off', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.write_off', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'write_off: grants';
END
$$;

ROLLBACK;
