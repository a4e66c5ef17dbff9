-- Verify processing:bag on pg

BEGIN;

SELECT
  barcode, kind, item_id, batch_id, location_id, herb_section, bag_number, gross_grams, tare_grams, net_grams,
  remaining_grams, status, dispatched_by_hand, held, held_reason, reference, opening_stock, received_by,
  received_by_username, received_by_role, received_at, occurred_at
FROM public.bag WHERE false;

SELECT
  barcode, move_id, from_location_id, to_location_id, reason, moved_by, moved_by_username, moved_by_role, occurred_at,
  recorded_at, correlation_id
FROM public.bag_move WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 13 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.bag'::regclass AND convalidated AND conname IN (
      'bag_gross_is_net_and_tare', 'bag_has_one_kind', 'bag_is_of_an_item_or_a_batch', 'bag_is_of_its_batch',
      'bag_is_of_its_item', 'bag_is_unique', 'bag_lies_where_its_kind_may', 'bag_net_is_positive',
      'bag_number_is_positive', 'bag_reference_is_of_a_herb', 'bag_remaining_within_net',
      'bag_status_follows_remaining', 'bag_tare_not_negative')),
    'bag: a constraint is missing';
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.bag'::regclass AND i.indisvalid AND c.relname IN (
      'bag_by_location', 'bag_by_received_at', 'bag_held', 'bag_number_is_unique_in_batch',
      'bag_number_is_unique_in_item')),
    'bag: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.bag', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.bag', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.bag', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.bag', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.bag', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.bag', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'bag: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.bag_move'::regclass AND convalidated AND conname IN (
      'bag_move_goes_to_a_location', 'bag_move_is_of_a_bag', 'bag_move_is_unique')),
    'bag_move: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.bag_move'::regclass AND i.indisvalid AND c.relname IN (
      'bag_move_by_location', 'bag_move_by_time')),
    'bag_move: an index is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_trigger
    WHERE tgrelid = 'public.bag_move'::regclass AND tgenabled = 'O' AND tgname IN ('bag_move_is_append_only')),
    'bag_move: a trigger is missing';
  ASSERT has_table_privilege('mtp_app', 'public.bag_move', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.bag_move', 'INSERT')
    AND NOT has_table_privilege('mtp_app', 'public.bag_move', 'UPDATE, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.bag_move', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.bag_move', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'bag_move: grants';
END
$$;

ROLLBACK;
