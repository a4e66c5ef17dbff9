-- Verify processing:batch on pg

BEGIN;

SELECT
  batch_id, kind, recipe_id, revision, batch_number, state, trader_state, trader_changed_at, in_grams, opening_grams,
  out_grams, out_bags, out_tolerance_ppm, version, opened_by, opened_by_username, opened_by_role, opened_at,
  occurred_at, completed_by, completed_by_username, completed_by_role, completed_at, changed_at
FROM public.batch WHERE false;

SELECT
  batch_id, measurement_id, humidity_basis_points, density_grams_per_cubic_metre, remarks, measured_by,
  measured_by_username, measured_by_role, occurred_at, recorded_at, correlation_id
FROM public.measurement WHERE false;

SELECT
  batch_id, decision_id, from_state, to_state, remarks, decided_by, decided_by_username, decided_by_role, occurred_at,
  recorded_at, correlation_id
FROM public.trader_decision WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 12 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.batch'::regclass AND convalidated AND conname IN (
      'batch_completion_has_time', 'batch_has_one_kind', 'batch_is_of_a_revision', 'batch_is_unique',
      'batch_number_is_positive', 'batch_number_is_unique', 'batch_only_blends_are_approved', 'batch_out_within_in',
      'batch_state_is_known', 'batch_totals_not_negative', 'batch_trader_state_has_time',
      'batch_trader_state_is_known')),
    'batch: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.batch'::regclass AND i.indisvalid AND c.relname IN (
      'batch_by_state', 'batch_by_trader_state')),
    'batch: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.batch', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.batch', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.batch', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.batch', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.batch', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.batch', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'batch: grants';
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.measurement'::regclass AND convalidated AND conname IN (
      'measurement_density_is_positive', 'measurement_humidity_is_a_share', 'measurement_is_of_a_batch',
      'measurement_is_unique')),
    'measurement: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.measurement'::regclass AND tgenabled = 'O' AND tgname IN ('measurement_is_append_only')),
    'measurement: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.measurement', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.measurement', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.measurement', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.measurement', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.measurement', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'measurement: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.trader_decision'::regclass AND convalidated AND conname IN (
      'trader_decision_is_a_transition', 'trader_decision_is_of_a_batch', 'trader_decision_is_unique')),
    'trader_decision: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.trader_decision'::regclass AND tgenabled = 'O' AND tgname IN ('trader_decision_is_append_only')),
    'trader_decision: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.trader_decision', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.trader_decision', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.trader_decision', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.trader_decision', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.trader_decision', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'trader_decision: grants';
END
$$;

ROLLBACK;
