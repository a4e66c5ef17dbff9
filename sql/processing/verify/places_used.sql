-- Verify processing:places_used on pg

BEGIN;

DO $$
BEGIN
  ASSERT to_regclass('public.stocktake_by_location') IS NOT NULL, 'stocktake_by_location is missing';
  ASSERT to_regclass('public.bag_return_by_location') IS NOT NULL, 'bag_return_by_location is missing';
END
$$;

ROLLBACK;
