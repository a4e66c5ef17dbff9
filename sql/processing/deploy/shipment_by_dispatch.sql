-- Deploy processing:shipment_by_dispatch to pg
-- requires: shipment

BEGIN;

-- Serves the dispatch note of all that left on one lorry.
CREATE INDEX shipment_by_dispatch ON shipment (dispatch_id) WHERE dispatch_id IS NOT NULL;

COMMIT;
