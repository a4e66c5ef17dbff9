-- The same shipments for pgbench, which has no order side to ask for them.
BEGIN;

INSERT INTO shipment (request_code, shipment_code, order_code, product_name, item_code, quantity_grams,
                      order_epoch, order_version)
SELECT n, 1, 'BENCH', 'Bench', 'BENCH', 50000000000, 1, 1
FROM generate_series(1, 16) AS n;

-- Identifiers in the order of time, as the services make them.
CREATE SEQUENCE bench_id CACHE 1000;
GRANT USAGE ON SEQUENCE bench_id TO mtp_app;

COMMIT;
ANALYZE shipment;
