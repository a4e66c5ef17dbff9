-- Verify processing:shipment_by_dispatch on pg

BEGIN;

DO $$
BEGIN
  ASSERT to_regclass('public.shipment_by_dispatch') IS NOT NULL, 'shipment_by_dispatch is missing';
END
$$;

ROLLBACK;
