-- Deploy order:order_request to pg
-- requires: order_plan

BEGIN;

CREATE SEQUENCE request_code_seq AS bigint;

CREATE TABLE order_request (
  request_code        bigint      NOT NULL DEFAULT nextval('request_code_seq'),
  order_code          text        NOT NULL,
  planned             boolean     NOT NULL,
  -- The plan is referred to only where there is one: a special request may
  -- name an order that no import has told yet.
  plan_order_code     text        GENERATED ALWAYS AS (CASE WHEN planned THEN order_code END) STORED,
  product_name        text        NOT NULL,
  item_code           text        NOT NULL DEFAULT '',
  requirement_grams   bigint      NOT NULL,
  comments            text        NOT NULL DEFAULT '',
  special             boolean     NOT NULL,
  reference           text        NOT NULL DEFAULT '',
  next_shipment_code  bigint      NOT NULL DEFAULT 2,
  recovered           boolean     NOT NULL DEFAULT false,
  created_by          text        NOT NULL DEFAULT '',
  created_by_username text        NOT NULL DEFAULT '',
  created_by_role     text        NOT NULL DEFAULT '',
  created_at          timestamptz NOT NULL DEFAULT now(),
  occurred_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT order_request_is_unique PRIMARY KEY (request_code),
  CONSTRAINT order_request_code_is_positive CHECK (request_code > 0),
  CONSTRAINT order_request_has_order CHECK (order_code <> ''),
  CONSTRAINT order_request_requirement_is_positive CHECK (requirement_grams > 0),
  CONSTRAINT order_request_made_first_shipment CHECK (next_shipment_code >= 2),
  CONSTRAINT order_request_without_plan_is_special CHECK (
    planned OR special OR recovered OR reference <> ''),
  CONSTRAINT order_request_has_its_plan FOREIGN KEY (plan_order_code) REFERENCES order_plan (order_code)
);
ALTER SEQUENCE request_code_seq OWNED BY order_request.request_code;
COMMENT ON TABLE order_request IS 'A request and what was asked for; its shipments carry what became of it.';
COMMENT ON COLUMN order_request.planned IS 'The order had a plan when the request was made.';
COMMENT ON COLUMN order_request.special IS 'Beyond allowed, or without a plan. Never changes.';
COMMENT ON COLUMN order_request.reference IS 'The old system''s key, if it was taken over from one.';
COMMENT ON COLUMN order_request.recovered IS 'Made again from what the peer knew, after a restore.';

-- Serves ListRequests of an order, DeletePlan (a plan with requests stays).
CREATE INDEX order_request_by_order ON order_request (order_code, request_code);
-- Serves ImportOpenRequests: each is taken over once.
CREATE UNIQUE INDEX order_request_reference_is_taken_over_once ON order_request (reference) WHERE reference <> '';
-- Serves the foreign key: has this plan a request?
CREATE INDEX order_request_by_plan ON order_request (plan_order_code) WHERE plan_order_code IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON order_request TO mtp_app;
GRANT SELECT, USAGE, UPDATE ON SEQUENCE request_code_seq TO mtp_app;
GRANT SELECT ON order_request, request_code_seq TO mtp_reader;

COMMIT;
