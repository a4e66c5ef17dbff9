-- Verify processing:item on pg

BEGIN;

SELECT
  item_id, kind, item_code, created_at, occurred_at, bag_limit, gram_limit, received_bags, received_grams, version,
  created_by, created_by_username, created_by_role, changed_at
FROM public.item WHERE false;

SELECT
  item_id, kind, invoice, grade, garden, broker, purchase_order, bag_grams
FROM public.tealine WHERE false;

SELECT
  item_id, kind, name, purchase_order, expected_grams
FROM public.herbline WHERE false;

SELECT
  item_id, kind, blend_code, transfer_id
FROM public.blendbalance WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 10 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.item'::regclass AND convalidated AND conname IN (
      'item_code_and_time_are_unique', 'item_has_code', 'item_has_one_kind', 'item_is_unique', 'item_kind_is_known',
      'item_limits_are_positive', 'item_limits_fit_kind', 'item_received_bags_within_limit',
      'item_received_grams_within_limit', 'item_received_not_negative')),
    'item: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.item'::regclass AND i.indisvalid AND c.relname IN (
      'item_by_kind')),
    'item: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.item', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.item', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.item', 'UPDATE')
    AND has_table_privilege('mtp_app', 'public.item', 'DELETE')
    AND has_table_privilege('mtp_reader', 'public.item', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.item', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'item: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.tealine'::regclass AND convalidated AND conname IN (
      'tealine_bag_weight_is_positive', 'tealine_is_an_item', 'tealine_is_unique')),
    'tealine: a constraint is missing';
  ASSERT (SELECT count(*) = 2 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.tealine'::regclass AND i.indisvalid AND c.relname IN (
      'tealine_by_garden', 'tealine_by_invoice')),
    'tealine: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.tealine', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.tealine', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.tealine', 'UPDATE')
    AND has_table_privilege('mtp_app', 'public.tealine', 'DELETE')
    AND has_table_privilege('mtp_reader', 'public.tealine', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.tealine', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'tealine: grants';
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.herbline'::regclass AND convalidated AND conname IN (
      'herbline_expected_weight_is_positive', 'herbline_has_name', 'herbline_is_an_item', 'herbline_is_unique')),
    'herbline: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'public.herbline', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.herbline', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.herbline', 'UPDATE')
    AND has_table_privilege('mtp_app', 'public.herbline', 'DELETE')
    AND has_table_privilege('mtp_reader', 'public.herbline', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.herbline', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'herbline: grants';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.blendbalance'::regclass AND convalidated AND conname IN (
      'blendbalance_has_blend_code', 'blendbalance_is_an_item', 'blendbalance_is_unique')),
    'blendbalance: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'public.blendbalance', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.blendbalance', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.blendbalance', 'UPDATE')
    AND has_table_privilege('mtp_app', 'public.blendbalance', 'DELETE')
    AND has_table_privilege('mtp_reader', 'public.blendbalance', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.blendbalance', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'blendbalance: grants';
END
$$;

ROLLBACK;
