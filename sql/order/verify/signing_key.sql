-- Verify order:signing_key on pg

BEGIN;

SELECT
  key_id, algorithm, private_key, public_jwk, created_at, signs_from, signs_until, valid_until
FROM admin.signing_key WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 4 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'admin.signing_key'::regclass AND convalidated AND conname IN (
      'signing_key_algorithm_is_es256', 'signing_key_has_id', 'signing_key_is_unique', 'signing_key_times_in_order')),
    'admin.signing_key: a constraint is missing';
  ASSERT (SELECT count(*) = 1 FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'admin.signing_key'::regclass AND i.indisvalid AND c.relname IN (
      'signing_key_by_signs_until')),
    'admin.signing_key: an index is missing';
  ASSERT has_table_privilege('mtp_app', 'admin.signing_key', 'SELECT')
    AND has_table_privilege('mtp_app', 'admin.signing_key', 'INSERT')
    AND has_table_privilege('mtp_app', 'admin.signing_key', 'UPDATE')
    AND has_table_privilege('mtp_app', 'admin.signing_key', 'DELETE')
    AND NOT has_table_privilege('mtp_reader', 'admin.signing_key', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'admin.signing_key', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'admin.signing_key: grants';
  ASSERT has_column_privilege('mtp_reader', 'admin.signing_key', 'key_id', 'SELECT')
    AND NOT has_column_privilege('mtp_reader', 'admin.signing_key', 'private_key', 'SELECT'),
    'admin.signing_key: readers see what they should not';
END
$$;

ROLLBACK;
