-- Verify order:order_request on pg

BEGIN;

SELECT
  request_code, order_code, planned, plan_order_code, product_name, item_code, requirement_grams, comments, special,
  reference, next_shipment_code, recovered, created_by, created_by_username, created_by_role, created_at, occurred_at
FROM public.order_request WHERE false;

DO $$
BEGIN
  ASSERT has_sequence_privilege('mtp_app', 'public.request_code_seq', 'USAGE'),
    'request_code_seq: grants';
  ASSERT (SELECT count(*) = 7 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'public.order_request'::regclass AND convalidated AND conname IN (
      'order_request_code_is_positive', 'order_request_has_its_plan', 'order_request_has_order',
      'order_request_is_unique', 'order_request_made_first_shipment', 'order_request_requirement_is_positive',
      'order_request_without_plan_is_special')),
    'order_request: a constraint is missing';
  ASSERT (SELECT count(*) = 3 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'public.order_request'::regclass AND i.indisvalid AND c.relname IN (
      'order_request_by_order', 'order_request_by_plan', 'order_request_reference_is_taken_over_once')),
    'order_request: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'public.order_request', 'SELECT')
    AND has_table_privilege('mtp_app', 'public.order_request', 'INSERT')
    AND has_table_privilege('mtp_app', 'public.order_request', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'public.order_request', 'DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'public.order_request', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'public.order_request', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'order_request: grants';
END
$$;

ROLLBACK;
