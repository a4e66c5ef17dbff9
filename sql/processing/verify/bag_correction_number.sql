-- Verify processing:bag_correction_number on pg

BEGIN;

DO $$
BEGIN
  ASSERT (SELECT attidentity = '' FROM pg_catalog.pg_attribute
    WHERE attrelid = 'public.bag_correction'::regclass AND attname = 'correction_id'),
    'bag_correction: its numbers are made by the database';
END
$$;

ROLLBACK;
