-- Deploy processing:allocation to pg
-- requires: bag
-- requires: shipment

BEGIN;

CREATE TABLE allocation_rule (
  source_kind         text        NOT NULL,
  target_kind         text        NOT NULL,
  allowed             boolean     NOT NULL,
  version             bigint      NOT NULL DEFAULT 1,
  changed_by          text        NOT NULL DEFAULT '',
  changed_by_username text        NOT NULL DEFAULT '',
  changed_by_role     text        NOT NULL DEFAULT '',
  changed_at          timestamptz,
  CONSTRAINT allocation_rule_is_unique PRIMARY KEY (source_kind, target_kind),
  CONSTRAINT allocation_rule_source_is_known CHECK (source_kind IN (
    'tealine', 'herbline', 'blendbalance', 'blendsheet', 'flavorsheet')),
  CONSTRAINT allocation_rule_target_is_known CHECK (target_kind IN ('blendsheet', 'flavorsheet', 'shipment'))
);
COMMENT ON TABLE allocation_rule IS 'Which kind of bag may be allocated to which kind of target.';
COMMENT ON COLUMN allocation_rule.changed_at IS 'NULL: as the platform came.';
INSERT INTO allocation_rule (source_kind, target_kind, allowed)
SELECT source_kind, target_kind,
       (source_kind, target_kind) IN (
         ('tealine', 'blendsheet'), ('tealine', 'shipment'),
         ('blendbalance', 'blendsheet'),
         ('blendsheet', 'flavorsheet'), ('blendsheet', 'shipment'),
         ('herbline', 'flavorsheet'),
         ('flavorsheet', 'shipment'))
FROM unnest(ARRAY['tealine', 'herbline', 'blendbalance', 'blendsheet', 'flavorsheet']) AS source_kind
CROSS JOIN unnest(ARRAY['blendsheet', 'flavorsheet', 'shipment']) AS target_kind;

CREATE TABLE allocation (
  allocation_id         uuid        NOT NULL,
  barcode               uuid        NOT NULL,
  source_kind           text        NOT NULL,
  target_kind           text        NOT NULL,
  batch_id              uuid,
  request_code          bigint,
  shipment_code         bigint,
  grams                 bigint      NOT NULL,
  released_grams        bigint      NOT NULL DEFAULT 0,
  parcelled_grams       bigint      NOT NULL DEFAULT 0,
  allocated_by          text        NOT NULL DEFAULT '',
  allocated_by_username text        NOT NULL DEFAULT '',
  allocated_by_role     text        NOT NULL DEFAULT '',
  allocated_at          timestamptz NOT NULL DEFAULT now(),
  occurred_at           timestamptz NOT NULL DEFAULT now(),
  released_at           timestamptz,
  CONSTRAINT allocation_is_unique PRIMARY KEY (allocation_id),
  CONSTRAINT allocation_is_of_a_bag FOREIGN KEY (barcode, source_kind) REFERENCES bag (barcode, kind),
  CONSTRAINT allocation_goes_to_its_batch FOREIGN KEY (batch_id, target_kind) REFERENCES batch (batch_id, kind),
  CONSTRAINT allocation_goes_to_its_shipment FOREIGN KEY (request_code, shipment_code)
    REFERENCES shipment (request_code, shipment_code),
  CONSTRAINT allocation_has_one_target CHECK (CASE target_kind
    WHEN 'shipment' THEN batch_id IS NULL AND request_code IS NOT NULL AND shipment_code IS NOT NULL
    WHEN 'blendsheet' THEN batch_id IS NOT NULL AND request_code IS NULL AND shipment_code IS NULL
    WHEN 'flavorsheet' THEN batch_id IS NOT NULL AND request_code IS NULL AND shipment_code IS NULL
    ELSE false END),
  CONSTRAINT allocation_grams_not_negative CHECK (grams >= 0 AND released_grams >= 0),
  CONSTRAINT allocation_took_something CHECK (grams + released_grams > 0),
  CONSTRAINT allocation_is_released_when_nothing_is_left CHECK ((grams = 0) = (released_at IS NOT NULL)),
  CONSTRAINT allocation_parcels_within_grams CHECK (parcelled_grams BETWEEN 0 AND grams),
  CONSTRAINT allocation_parcels_are_of_shipments CHECK (parcelled_grams = 0 OR target_kind = 'shipment')
) WITH (
  -- Inserted once, then only parcels and a release touch a row: a little room
  -- keeps those updates on the page.
  fillfactor = 90,
  -- Mostly inserts: freeze and set visibility while the pages are warm.
  autovacuum_vacuum_insert_scale_factor = 0.05
);
COMMENT ON TABLE allocation IS 'A part of a bag given to a batch or a shipment.';
COMMENT ON COLUMN allocation.grams IS 'What is allocated now; 0 when all of it was given back.';
COMMENT ON COLUMN allocation.released_grams IS 'What was given back so far; allocation_release has each time.';
COMMENT ON COLUMN allocation.parcelled_grams IS 'Sum of its active parcels.';

-- Serves what a bag was allocated to: scan, history, trace forward.
CREATE INDEX allocation_by_bag ON allocation (barcode);
-- Serves the ingredients of a batch: GetBatch, trace backward.
CREATE INDEX allocation_by_batch ON allocation (batch_id) WHERE batch_id IS NOT NULL;
-- Serves the bags of a shipment: manifest, giving back newest first, trace backward.
CREATE INDEX allocation_by_shipment ON allocation (request_code, shipment_code, allocation_id)
  WHERE request_code IS NOT NULL;

CREATE TABLE allocation_release (
  allocation_id        uuid        NOT NULL,
  release_id           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  grams                bigint      NOT NULL,
  reason               text        NOT NULL,
  remarks              text        NOT NULL DEFAULT '',
  moved_to             uuid,
  released_by          text        NOT NULL DEFAULT '',
  released_by_username text        NOT NULL DEFAULT '',
  released_by_role     text        NOT NULL DEFAULT '',
  occurred_at          timestamptz NOT NULL DEFAULT now(),
  recorded_at          timestamptz NOT NULL DEFAULT now(),
  correlation_id       text        NOT NULL DEFAULT '',
  CONSTRAINT allocation_release_is_unique PRIMARY KEY (allocation_id, release_id),
  CONSTRAINT allocation_release_is_of_an_allocation FOREIGN KEY (allocation_id) REFERENCES allocation (allocation_id),
  CONSTRAINT allocation_release_moves_to_an_allocation FOREIGN KEY (moved_to) REFERENCES allocation (allocation_id),
  CONSTRAINT allocation_release_is_positive CHECK (grams > 0),
  CONSTRAINT allocation_release_reason_is_known CHECK (reason IN ('RELEASED', 'MOVED', 'GIVEN_BACK')),
  CONSTRAINT allocation_release_move_has_a_goal CHECK ((reason = 'MOVED') = (moved_to IS NOT NULL))
);
COMMENT ON TABLE allocation_release IS 'Each time an allocation, or a part of it, went back to its bag.';
COMMENT ON COLUMN allocation_release.reason IS 'GIVEN_BACK: the shipment was cut or cancelled by the order side.';

CREATE TRIGGER allocation_release_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON allocation_release
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

-- The matrix, for whoever goes around the service: once per statement, over
-- fifteen rows, not once per allocation.
CREATE FUNCTION refuse_allocation_against_rule() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  closed record;
BEGIN
  SELECT made.source_kind, made.target_kind INTO closed
  FROM made_allocation AS made
  WHERE NOT EXISTS (
    SELECT FROM public.allocation_rule AS rule
    WHERE rule.source_kind = made.source_kind AND rule.target_kind = made.target_kind AND rule.allowed)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a bag of a % may not go to a %', closed.source_kind, closed.target_kind
      USING ERRCODE = 'check_violation', CONSTRAINT = 'allocation_follows_rules',
            SCHEMA = 'public', TABLE = 'allocation';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER allocation_follows_rules AFTER INSERT ON allocation
  REFERENCING NEW TABLE AS made_allocation
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_allocation_against_rule();

GRANT SELECT, INSERT, UPDATE ON allocation_rule, allocation TO mtp_app;
GRANT SELECT, INSERT ON allocation_release TO mtp_app;
GRANT SELECT ON allocation_rule, allocation, allocation_release TO mtp_reader;

COMMIT;
