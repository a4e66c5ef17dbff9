-- Deploy processing:bag to pg
-- requires: location
-- requires: item
-- requires: batch

BEGIN;

CREATE TABLE bag (
  barcode              uuid        NOT NULL,
  kind                 text        NOT NULL,
  item_id              uuid,
  batch_id             uuid,
  location_id          uuid        NOT NULL,
  herb_section         boolean     NOT NULL GENERATED ALWAYS AS (kind = 'herbline') STORED,
  bag_number           bigint      NOT NULL,
  gross_grams          bigint      NOT NULL,
  tare_grams           bigint      NOT NULL,
  net_grams            bigint      NOT NULL,
  remaining_grams      bigint      NOT NULL,
  status               text        NOT NULL DEFAULT 'ACCEPTED',
  dispatched_by_hand   boolean     NOT NULL DEFAULT false,
  held                 boolean     NOT NULL DEFAULT false,
  held_reason          text        NOT NULL DEFAULT '',
  reference            text        NOT NULL DEFAULT '',
  opening_stock        boolean     NOT NULL DEFAULT false,
  received_by          text        NOT NULL DEFAULT '',
  received_by_username text        NOT NULL DEFAULT '',
  received_by_role     text        NOT NULL DEFAULT '',
  received_at          timestamptz NOT NULL DEFAULT now(),
  occurred_at          timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT bag_is_unique PRIMARY KEY (barcode),
  -- What allocation refers to.
  CONSTRAINT bag_has_one_kind UNIQUE (barcode, kind),
  CONSTRAINT bag_is_of_an_item_or_a_batch CHECK (CASE kind
    WHEN 'tealine' THEN item_id IS NOT NULL AND batch_id IS NULL
    WHEN 'herbline' THEN item_id IS NOT NULL AND batch_id IS NULL
    WHEN 'blendbalance' THEN item_id IS NOT NULL AND batch_id IS NULL
    WHEN 'blendsheet' THEN batch_id IS NOT NULL AND item_id IS NULL
    WHEN 'flavorsheet' THEN batch_id IS NOT NULL AND item_id IS NULL
    ELSE false END),
  CONSTRAINT bag_is_of_its_item FOREIGN KEY (item_id, kind) REFERENCES item (item_id, kind),
  CONSTRAINT bag_is_of_its_batch FOREIGN KEY (batch_id, kind) REFERENCES batch (batch_id, kind),
  -- Herbs in herb sections, everything else outside them.
  CONSTRAINT bag_lies_where_its_kind_may FOREIGN KEY (location_id, herb_section)
    REFERENCES location (location_id, herb_section),
  CONSTRAINT bag_number_is_positive CHECK (bag_number > 0),
  CONSTRAINT bag_tare_not_negative CHECK (tare_grams >= 0),
  CONSTRAINT bag_net_is_positive CHECK (net_grams > 0),
  CONSTRAINT bag_gross_is_net_and_tare CHECK (gross_grams = net_grams + tare_grams),
  CONSTRAINT bag_remaining_within_net CHECK (remaining_grams BETWEEN 0 AND net_grams),
  CONSTRAINT bag_status_follows_remaining CHECK (CASE status
    WHEN 'ACCEPTED' THEN remaining_grams = net_grams AND NOT dispatched_by_hand
    WHEN 'IN_PROCESS' THEN remaining_grams > 0 AND remaining_grams < net_grams AND NOT dispatched_by_hand
    WHEN 'PROCESSED' THEN remaining_grams = 0 AND NOT dispatched_by_hand
    WHEN 'DISPATCHED' THEN remaining_grams = 0 OR dispatched_by_hand
    ELSE false END),
  CONSTRAINT bag_reference_is_of_a_herb CHECK (reference = '' OR kind = 'herbline')
) WITH (
  -- An allocation rewrites remaining and status, which no index holds: room
  -- for HOT updates, and vacuum by count, not by a share of all bags ever.
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 2000
);
COMMENT ON TABLE bag IS 'One weighed bag of an item or a batch.';
COMMENT ON COLUMN bag.remaining_grams IS 'Net less active allocations and write-offs, and what was sent back.';
COMMENT ON COLUMN bag.bag_number IS 'Within its item or batch, from 1.';
COMMENT ON COLUMN bag.location_id IS 'Of a bag that left the site: where it lay last.';
COMMENT ON COLUMN bag.dispatched_by_hand IS 'Marked as gone, whatever remains; nothing more can be taken from it.';
COMMENT ON COLUMN bag.received_at IS 'When it was told; occurred_at is when it was weighed.';

-- Serve the bags of a lot or a batch in their order, and trace.
CREATE UNIQUE INDEX bag_number_is_unique_in_item ON bag (item_id, bag_number) WHERE item_id IS NOT NULL;
CREATE UNIQUE INDEX bag_number_is_unique_in_batch ON bag (batch_id, bag_number) WHERE batch_id IS NOT NULL;
-- Serves ListBags of a location, stocktake, and the foreign key of a location.
CREATE INDEX bag_by_location ON bag (location_id, barcode);
-- Serves ListBags of what is held.
CREATE INDEX bag_held ON bag (barcode) WHERE held;
-- Serves ListBags by time, its pages, and activities between two moments.
CREATE INDEX bag_by_received_at ON bag (received_at, barcode);

CREATE TABLE bag_move (
  barcode           uuid        NOT NULL,
  move_id           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  from_location_id  uuid,
  to_location_id    uuid        NOT NULL,
  reason            text        NOT NULL DEFAULT '',
  moved_by          text        NOT NULL DEFAULT '',
  moved_by_username text        NOT NULL DEFAULT '',
  moved_by_role     text        NOT NULL DEFAULT '',
  occurred_at       timestamptz NOT NULL DEFAULT now(),
  recorded_at       timestamptz NOT NULL DEFAULT now(),
  correlation_id    text        NOT NULL DEFAULT '',
  -- Serves ListBagMoves: the places of one bag in their order.
  CONSTRAINT bag_move_is_unique PRIMARY KEY (barcode, move_id),
  CONSTRAINT bag_move_is_of_a_bag FOREIGN KEY (barcode) REFERENCES bag (barcode),
  CONSTRAINT bag_move_goes_to_a_location FOREIGN KEY (to_location_id) REFERENCES location (location_id)
);
COMMENT ON TABLE bag_move IS 'Every placement and move of a bag.';
COMMENT ON COLUMN bag_move.from_location_id IS 'NULL: it was received, for the first time or sent back.';

-- Serves DeleteLocation: a place where a bag ever lay stays (its foreign key),
-- and the history of a place.
CREATE INDEX bag_move_by_location ON bag_move (to_location_id, move_id);
-- Serves ListBagMoves by time, and its pages.
CREATE INDEX bag_move_by_time ON bag_move (occurred_at, move_id);

CREATE TRIGGER bag_move_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bag_move
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT, UPDATE ON bag TO mtp_app;
GRANT SELECT, INSERT ON bag_move TO mtp_app;
GRANT SELECT ON bag, bag_move TO mtp_reader;

COMMIT;
