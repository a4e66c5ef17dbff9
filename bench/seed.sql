-- What the measurements of AllocateToShipment take from: bags of an allowed
-- blend, large enough never to run out. Run by the owner on a fresh processing
-- database.
BEGIN;

INSERT INTO location (location_id, name, herb_section)
VALUES ('00000000-0000-7000-8000-000000000001', 'Bench', false);

INSERT INTO recipe (recipe_id, kind, number, next_batch_number)
VALUES ('00000000-0000-7000-8000-000000000002', 'blendsheet', 'BENCH', 2);
INSERT INTO recipe_revision (recipe_id, revision, kind, blend_code, total_grams, opened_batches)
VALUES ('00000000-0000-7000-8000-000000000002', 1, 'blendsheet', 'BENCH', 1000000000000, 1);

INSERT INTO batch (batch_id, kind, recipe_id, revision, batch_number, trader_state, trader_changed_at,
                   in_grams, opening_grams, out_grams, out_bags)
VALUES ('00000000-0000-7000-8000-000000000003', 'blendsheet', '00000000-0000-7000-8000-000000000002', 1, 1,
        'TRADER_ALLOWED', now(), 5000000000000, 5000000000000, 4096000000000, 4096);

INSERT INTO bag (barcode, kind, batch_id, location_id, bag_number, gross_grams, tare_grams, net_grams, remaining_grams)
SELECT ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'blendsheet',
       '00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000001',
       n, 1000000000, 0, 1000000000, 1000000000
FROM generate_series(1, 4096) AS n;

INSERT INTO bag_move (barcode, to_location_id)
SELECT barcode, location_id FROM bag;

INSERT INTO measurement (batch_id, measurement_id, humidity_basis_points, density_grams_per_cubic_metre)
VALUES ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000004', 650, 325000);
INSERT INTO trader_decision (batch_id, decision_id, from_state, to_state)
VALUES ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000005', NULL, 'TRADER_PENDING'),
       ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000006', 'TRADER_PENDING', 'TRADER_REQUESTED'),
       ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000007', 'TRADER_REQUESTED', 'TRADER_ALLOWED');

COMMIT;
ANALYZE bag, batch;
