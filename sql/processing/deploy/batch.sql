-- Deploy processing:batch to pg
-- requires: recipe

BEGIN;

CREATE TABLE batch (
  batch_id              uuid        NOT NULL,
  kind                  text        NOT NULL,
  recipe_id             uuid        NOT NULL,
  revision              bigint      NOT NULL,
  batch_number          bigint      NOT NULL,
  state                 text        NOT NULL DEFAULT 'OPEN',
  trader_state          text,
  trader_changed_at     timestamptz,
  in_grams              bigint      NOT NULL DEFAULT 0,
  opening_grams         bigint      NOT NULL DEFAULT 0,
  out_grams             bigint      NOT NULL DEFAULT 0,
  out_bags              bigint      NOT NULL DEFAULT 0,
  out_tolerance_ppm     bigint      NOT NULL DEFAULT 20000,
  version               bigint      NOT NULL DEFAULT 1,
  opened_by             text        NOT NULL DEFAULT '',
  opened_by_username    text        NOT NULL DEFAULT '',
  opened_by_role        text        NOT NULL DEFAULT '',
  opened_at             timestamptz NOT NULL DEFAULT now(),
  occurred_at           timestamptz NOT NULL DEFAULT now(),
  completed_by          text        NOT NULL DEFAULT '',
  completed_by_username text        NOT NULL DEFAULT '',
  completed_by_role     text        NOT NULL DEFAULT '',
  completed_at          timestamptz,
  changed_at            timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT batch_is_unique PRIMARY KEY (batch_id),
  CONSTRAINT batch_number_is_unique UNIQUE (recipe_id, batch_number),
  -- What bag and allocation refer to.
  CONSTRAINT batch_has_one_kind UNIQUE (batch_id, kind),
  CONSTRAINT batch_is_of_a_revision FOREIGN KEY (recipe_id, revision, kind)
    REFERENCES recipe_revision (recipe_id, revision, kind),
  CONSTRAINT batch_number_is_positive CHECK (batch_number > 0),
  CONSTRAINT batch_state_is_known CHECK (state IN ('OPEN', 'COMPLETED')),
  CONSTRAINT batch_completion_has_time CHECK ((state = 'COMPLETED') = (completed_at IS NOT NULL)),
  CONSTRAINT batch_trader_state_is_known CHECK (trader_state IN (
    'TRADER_PENDING', 'TRADER_REQUESTED', 'TRADER_ELEVATED', 'TRADER_ALLOWED', 'TRADER_BLOCKED')),
  CONSTRAINT batch_trader_state_has_time CHECK ((trader_state IS NULL) = (trader_changed_at IS NULL)),
  CONSTRAINT batch_only_blends_are_approved CHECK (kind = 'blendsheet' OR trader_state IS NULL),
  CONSTRAINT batch_totals_not_negative CHECK (
    least(in_grams - opening_grams, opening_grams, out_grams, out_bags, out_tolerance_ppm) >= 0),
  CONSTRAINT batch_out_within_in CHECK (
    out_grams <= in_grams + in_grams / 1000000 * out_tolerance_ppm + in_grams % 1000000 * out_tolerance_ppm / 1000000)
) WITH (
  -- Every allocation into it and every bag out of it raises a total: room for HOT updates.
  fillfactor = 60
);
COMMENT ON TABLE batch IS 'A batch, pinned to the revision it was opened of.';
COMMENT ON COLUMN batch.batch_number IS 'Within its recipe, over all revisions, from 1.';
COMMENT ON COLUMN batch.in_grams IS 'Sum of the active allocations into the batch, and opening_grams.';
COMMENT ON COLUMN batch.opening_grams IS 'What was in it before the platform kept book (opening stock).';
COMMENT ON COLUMN batch.out_grams IS 'Sum of the net weights of its bags, corrections included.';
COMMENT ON COLUMN batch.out_tolerance_ppm IS 'How much more than in may come out, in millionths; the setting as it was when the batch was opened.';

-- Serves the traders' queues: ListBatches by trader state, longest waiting first.
CREATE INDEX batch_by_trader_state ON batch (trader_state, trader_changed_at, batch_id) WHERE trader_state IS NOT NULL;
-- Serves ListBatches of one kind and state.
CREATE INDEX batch_by_state ON batch (kind, state, batch_id);

CREATE TABLE measurement (
  batch_id                      uuid        NOT NULL,
  measurement_id                uuid        NOT NULL,
  humidity_basis_points         bigint      NOT NULL,
  density_grams_per_cubic_metre bigint      NOT NULL,
  remarks                       text        NOT NULL DEFAULT '',
  measured_by                   text        NOT NULL DEFAULT '',
  measured_by_username          text        NOT NULL DEFAULT '',
  measured_by_role              text        NOT NULL DEFAULT '',
  occurred_at                   timestamptz NOT NULL DEFAULT now(),
  recorded_at                   timestamptz NOT NULL DEFAULT now(),
  correlation_id                text        NOT NULL DEFAULT '',
  CONSTRAINT measurement_is_unique PRIMARY KEY (batch_id, measurement_id),
  CONSTRAINT measurement_is_of_a_batch FOREIGN KEY (batch_id) REFERENCES batch (batch_id),
  CONSTRAINT measurement_humidity_is_a_share CHECK (humidity_basis_points BETWEEN 0 AND 10000),
  CONSTRAINT measurement_density_is_positive CHECK (density_grams_per_cubic_metre > 0)
);
COMMENT ON TABLE measurement IS 'Quality of a batch, each time it was measured.';
COMMENT ON COLUMN measurement.humidity_basis_points IS 'Hundredths of a percent: 6.5 % is 650.';

CREATE TABLE trader_decision (
  batch_id            uuid        NOT NULL,
  decision_id         uuid        NOT NULL,
  from_state          text,
  to_state            text        NOT NULL,
  remarks             text        NOT NULL DEFAULT '',
  decided_by          text        NOT NULL DEFAULT '',
  decided_by_username text        NOT NULL DEFAULT '',
  decided_by_role     text        NOT NULL DEFAULT '',
  occurred_at         timestamptz NOT NULL DEFAULT now(),
  recorded_at         timestamptz NOT NULL DEFAULT now(),
  correlation_id      text        NOT NULL DEFAULT '',
  CONSTRAINT trader_decision_is_unique PRIMARY KEY (batch_id, decision_id),
  CONSTRAINT trader_decision_is_of_a_batch FOREIGN KEY (batch_id) REFERENCES batch (batch_id),
  CONSTRAINT trader_decision_is_a_transition CHECK (CASE to_state
    WHEN 'TRADER_PENDING' THEN from_state IS NULL
    WHEN 'TRADER_REQUESTED' THEN from_state IS NOT DISTINCT FROM 'TRADER_PENDING'
    WHEN 'TRADER_ELEVATED' THEN from_state IS NOT DISTINCT FROM 'TRADER_REQUESTED'
    WHEN 'TRADER_ALLOWED' THEN coalesce(from_state IN ('TRADER_REQUESTED', 'TRADER_ELEVATED'), false)
    WHEN 'TRADER_BLOCKED' THEN coalesce(from_state IN ('TRADER_REQUESTED', 'TRADER_ELEVATED', 'TRADER_ALLOWED'), false)
    ELSE false END)
);
COMMENT ON TABLE trader_decision IS 'Every transition of a batch''s approval.';

CREATE TRIGGER measurement_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON measurement
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();
CREATE TRIGGER trader_decision_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trader_decision
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT, UPDATE ON batch TO mtp_app;
GRANT SELECT, INSERT ON measurement, trader_decision TO mtp_app;
GRANT SELECT ON batch, measurement, trader_decision TO mtp_reader;

COMMIT;
