-- Deploy processing:item to pg
-- requires: sync:sync_schema

BEGIN;

CREATE TABLE item (
  item_id             uuid        NOT NULL,
  kind                text        NOT NULL,
  item_code           text        NOT NULL,
  created_at          timestamptz NOT NULL DEFAULT now(),
  occurred_at         timestamptz NOT NULL DEFAULT now(),
  bag_limit           bigint,
  gram_limit          bigint,
  received_bags       bigint      NOT NULL DEFAULT 0,
  received_grams      bigint      NOT NULL DEFAULT 0,
  version             bigint      NOT NULL DEFAULT 1,
  created_by          text        NOT NULL DEFAULT '',
  created_by_username text        NOT NULL DEFAULT '',
  created_by_role     text        NOT NULL DEFAULT '',
  changed_at          timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT item_is_unique PRIMARY KEY (item_id),
  CONSTRAINT item_code_and_time_are_unique UNIQUE (item_code, created_at),
  -- What the detail tables and bag refer to.
  CONSTRAINT item_has_one_kind UNIQUE (item_id, kind),
  CONSTRAINT item_kind_is_known CHECK (kind IN ('tealine', 'herbline', 'blendbalance')),
  CONSTRAINT item_has_code CHECK (item_code <> ''),
  CONSTRAINT item_limits_are_positive CHECK (bag_limit > 0 AND gram_limit > 0),
  CONSTRAINT item_limits_fit_kind CHECK (CASE kind
    WHEN 'tealine' THEN bag_limit IS NOT NULL AND gram_limit IS NULL
    WHEN 'herbline' THEN bag_limit IS NULL AND gram_limit IS NULL
    ELSE bag_limit IS NULL END),
  CONSTRAINT item_received_not_negative CHECK (received_bags >= 0 AND received_grams >= 0),
  CONSTRAINT item_received_bags_within_limit CHECK (received_bags <= bag_limit),
  CONSTRAINT item_received_grams_within_limit CHECK (received_grams <= gram_limit)
) WITH (
  -- Every receipt raises the totals: room for HOT updates.
  fillfactor = 80
);
COMMENT ON TABLE item IS 'A lot; the table of its kind has what is said of it.';
COMMENT ON COLUMN item.created_at IS 'When it was recorded; occurred_at is when it was defined, as told.';
COMMENT ON COLUMN item.bag_limit IS 'Tealine: the bags invoiced; no more are received.';
COMMENT ON COLUMN item.gram_limit IS 'Blendbalance: the expected weight, where one was told; receipts stay within it.';
COMMENT ON COLUMN item.received_bags IS 'Bags received, also those used since.';
COMMENT ON COLUMN item.received_grams IS 'Sum of the net weights of the bags, corrections included.';

-- Serves the lists of one kind, newest first.
CREATE INDEX item_by_kind ON item (kind, created_at, item_id);

CREATE TABLE tealine (
  item_id        uuid   NOT NULL,
  kind           text   NOT NULL GENERATED ALWAYS AS ('tealine') STORED,
  invoice        text   NOT NULL,
  grade          text   NOT NULL,
  garden         text   NOT NULL,
  broker         text   NOT NULL DEFAULT '',
  purchase_order text   NOT NULL DEFAULT '',
  bag_grams      bigint NOT NULL,
  CONSTRAINT tealine_is_unique PRIMARY KEY (item_id),
  CONSTRAINT tealine_is_an_item FOREIGN KEY (item_id, kind) REFERENCES item (item_id, kind),
  CONSTRAINT tealine_bag_weight_is_positive CHECK (bag_grams > 0)
);
COMMENT ON TABLE tealine IS 'A lot of raw tea as invoiced; the number of bags is item.bag_limit.';
COMMENT ON COLUMN tealine.bag_grams IS 'Weight per bag, as invoiced.';

-- Serves search and lists by garden and by invoice.
CREATE INDEX tealine_by_garden ON tealine (garden, item_id);
CREATE INDEX tealine_by_invoice ON tealine (invoice);

CREATE TABLE herbline (
  item_id        uuid   NOT NULL,
  kind           text   NOT NULL GENERATED ALWAYS AS ('herbline') STORED,
  name           text   NOT NULL,
  purchase_order text   NOT NULL DEFAULT '',
  expected_grams bigint NOT NULL,
  CONSTRAINT herbline_is_unique PRIMARY KEY (item_id),
  CONSTRAINT herbline_is_an_item FOREIGN KEY (item_id, kind) REFERENCES item (item_id, kind),
  CONSTRAINT herbline_has_name CHECK (name <> ''),
  CONSTRAINT herbline_expected_weight_is_positive CHECK (expected_grams > 0)
);
COMMENT ON TABLE herbline IS 'A herb lot.';

CREATE TABLE blendbalance (
  item_id     uuid NOT NULL,
  kind        text NOT NULL GENERATED ALWAYS AS ('blendbalance') STORED,
  blend_code  text NOT NULL,
  transfer_id text NOT NULL,
  CONSTRAINT blendbalance_is_unique PRIMARY KEY (item_id),
  CONSTRAINT blendbalance_is_an_item FOREIGN KEY (item_id, kind) REFERENCES item (item_id, kind),
  CONSTRAINT blendbalance_has_blend_code CHECK (blend_code <> '')
);
COMMENT ON TABLE blendbalance IS 'Left-over blend returned for use; its expected weight is item.gram_limit.';

GRANT SELECT, INSERT, UPDATE, DELETE ON item, tealine, herbline, blendbalance TO mtp_app;
GRANT SELECT ON item, tealine, herbline, blendbalance TO mtp_reader;

COMMIT;
