-- Deploy order:order_plan to pg
-- requires: plan_import

BEGIN;

CREATE TABLE order_plan (
  order_code        text        NOT NULL,
  item_code         text        NOT NULL,
  product_name      text        NOT NULL,
  requirement_grams bigint      NOT NULL,
  requested_grams   bigint      NOT NULL DEFAULT 0,
  excess_grams      bigint      NOT NULL DEFAULT 0,
  plan_start        date        NOT NULL,
  plan_end          date        NOT NULL,
  import_id         uuid        NOT NULL,
  version           bigint      NOT NULL DEFAULT 1,
  created_at        timestamptz NOT NULL DEFAULT now(),
  changed_at        timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT order_plan_is_unique PRIMARY KEY (order_code),
  CONSTRAINT order_plan_has_codes CHECK (order_code <> '' AND item_code <> ''),
  CONSTRAINT order_plan_requirement_not_negative CHECK (requirement_grams >= 0),
  CONSTRAINT order_plan_excess_not_negative CHECK (excess_grams >= 0),
  CONSTRAINT order_plan_requested_within_requirement CHECK (
    requested_grams BETWEEN 0 AND requirement_grams + excess_grams),
  CONSTRAINT order_plan_ends_after_start CHECK (plan_start <= plan_end),
  CONSTRAINT order_plan_is_of_an_import FOREIGN KEY (import_id) REFERENCES plan_import (import_id)
) WITH (
  -- Every request raises requested_grams of one plan: room for HOT updates.
  fillfactor = 80
);
COMMENT ON TABLE order_plan IS 'Derived from the rows of the last stored import that changed it.';
COMMENT ON COLUMN order_plan.requested_grams IS 'Sum of the ordinary shipments not cancelled; allowed is requirement less this, never below zero.';
COMMENT ON COLUMN order_plan.excess_grams IS 'What requests taken over from an old system, or back from the peer after a restore, ask beyond the requirement; zero otherwise.';
COMMENT ON COLUMN order_plan.version IS 'Raised by an import that changed the plan; the etag.';

-- Serves ListPlans in order of their start, and filtered by day.
CREATE INDEX order_plan_by_start ON order_plan (plan_start, order_code);
-- Serves GetPlanImport: the plans an import made or changed.
CREATE INDEX order_plan_by_import ON order_plan (import_id);
-- Serves ListPlans of one product.
CREATE INDEX order_plan_by_item ON order_plan (item_code, order_code);

GRANT SELECT, INSERT, UPDATE, DELETE ON order_plan TO mtp_app;
GRANT SELECT ON order_plan TO mtp_reader;

COMMIT;
