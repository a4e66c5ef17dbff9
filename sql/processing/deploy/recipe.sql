-- Deploy processing:recipe to pg
-- requires: item

BEGIN;

CREATE TABLE recipe (
  recipe_id           uuid        NOT NULL,
  kind                text        NOT NULL,
  number              text        NOT NULL,
  revision            bigint      NOT NULL DEFAULT 1,
  next_batch_number   bigint      NOT NULL DEFAULT 1,
  retired_by          text        NOT NULL DEFAULT '',
  retired_by_username text        NOT NULL DEFAULT '',
  retired_by_role     text        NOT NULL DEFAULT '',
  retired_at          timestamptz,
  retire_remarks      text        NOT NULL DEFAULT '',
  version             bigint      NOT NULL DEFAULT 1,
  created_by          text        NOT NULL DEFAULT '',
  created_by_username text        NOT NULL DEFAULT '',
  created_by_role     text        NOT NULL DEFAULT '',
  created_at          timestamptz NOT NULL DEFAULT now(),
  changed_at          timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT recipe_is_unique PRIMARY KEY (recipe_id),
  CONSTRAINT recipe_number_is_unique UNIQUE (kind, number),
  -- What its revisions refer to.
  CONSTRAINT recipe_has_one_kind UNIQUE (recipe_id, kind),
  CONSTRAINT recipe_kind_is_known CHECK (kind IN ('blendsheet', 'flavorsheet')),
  CONSTRAINT recipe_has_number CHECK (number <> ''),
  CONSTRAINT recipe_numbers_are_positive CHECK (revision > 0 AND next_batch_number > 0)
);
COMMENT ON TABLE recipe IS 'A recipe by its number; what it says is in its revisions.';
COMMENT ON COLUMN recipe.revision IS 'The latest, of which new batches are opened.';
COMMENT ON COLUMN recipe.next_batch_number IS 'Over all revisions.';

CREATE TABLE recipe_revision (
  recipe_id           uuid        NOT NULL,
  revision            bigint      NOT NULL,
  kind                text        NOT NULL,
  standard            text        NOT NULL DEFAULT '',
  grade               text        NOT NULL DEFAULT '',
  blend_code          text        NOT NULL DEFAULT '',
  flavor_code         text        NOT NULL DEFAULT '',
  remarks             text        NOT NULL DEFAULT '',
  total_grams         bigint      NOT NULL,
  batch_count         bigint      NOT NULL DEFAULT 1,
  opened_batches      bigint      NOT NULL DEFAULT 0,
  created_by          text        NOT NULL DEFAULT '',
  created_by_username text        NOT NULL DEFAULT '',
  created_by_role     text        NOT NULL DEFAULT '',
  created_at          timestamptz NOT NULL DEFAULT now(),
  occurred_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT recipe_revision_is_unique PRIMARY KEY (recipe_id, revision),
  CONSTRAINT recipe_revision_is_of_a_recipe FOREIGN KEY (recipe_id, kind) REFERENCES recipe (recipe_id, kind),
  -- What batch refers to.
  CONSTRAINT recipe_revision_has_one_kind UNIQUE (recipe_id, revision, kind),
  CONSTRAINT recipe_revision_is_positive CHECK (revision > 0),
  CONSTRAINT recipe_revision_total_is_positive CHECK (total_grams > 0),
  CONSTRAINT recipe_revision_code_fits_kind CHECK (CASE kind
    WHEN 'blendsheet' THEN blend_code <> '' AND flavor_code = ''
    ELSE flavor_code <> '' AND blend_code = '' END),
  CONSTRAINT recipe_revision_batches_fit_kind CHECK (
    batch_count > 0 AND (kind = 'blendsheet' OR batch_count = 1)),
  CONSTRAINT recipe_revision_opened_within_count CHECK (opened_batches BETWEEN 0 AND batch_count)
);
COMMENT ON TABLE recipe_revision IS 'What a recipe says; only opened_batches ever changes.';
COMMENT ON COLUMN recipe_revision.total_grams IS 'Planned weight of all its batches together.';

-- Serves lists and search by blend and by flavor code.
CREATE INDEX recipe_revision_by_blend_code ON recipe_revision (blend_code) WHERE blend_code <> '';
CREATE INDEX recipe_revision_by_flavor_code ON recipe_revision (flavor_code) WHERE flavor_code <> '';

CREATE TABLE recipe_mixture (
  recipe_id        uuid   NOT NULL,
  revision         bigint NOT NULL,
  mixture_number   bigint NOT NULL,
  kind             text   NOT NULL,
  ingredient_kind  text   NOT NULL,
  item_id          uuid,
  source_recipe_id uuid,
  bags             bigint,
  grams            bigint,
  CONSTRAINT recipe_mixture_is_unique PRIMARY KEY (recipe_id, revision, mixture_number),
  CONSTRAINT recipe_mixture_has_an_item_once UNIQUE (recipe_id, revision, item_id),
  CONSTRAINT recipe_mixture_has_a_blend_once UNIQUE (recipe_id, revision, source_recipe_id),
  CONSTRAINT recipe_mixture_is_of_a_revision FOREIGN KEY (recipe_id, revision, kind)
    REFERENCES recipe_revision (recipe_id, revision, kind),
  CONSTRAINT recipe_mixture_number_is_positive CHECK (mixture_number > 0),
  CONSTRAINT recipe_mixture_ingredient_fits_kind CHECK (CASE kind
    WHEN 'blendsheet' THEN ingredient_kind IN ('tealine', 'blendbalance')
    ELSE ingredient_kind IN ('blendsheet', 'herbline') END),
  CONSTRAINT recipe_mixture_source_fits_ingredient CHECK (CASE ingredient_kind
    WHEN 'blendsheet' THEN source_recipe_id IS NOT NULL AND item_id IS NULL
    ELSE item_id IS NOT NULL AND source_recipe_id IS NULL END),
  CONSTRAINT recipe_mixture_measure_fits_ingredient CHECK (CASE ingredient_kind
    WHEN 'tealine' THEN bags IS NOT NULL AND bags > 0 AND grams IS NULL
    ELSE grams IS NOT NULL AND grams > 0 AND bags IS NULL END),
  CONSTRAINT recipe_mixture_is_of_an_item FOREIGN KEY (item_id, ingredient_kind) REFERENCES item (item_id, kind),
  CONSTRAINT recipe_mixture_is_of_a_blend FOREIGN KEY (source_recipe_id, ingredient_kind)
    REFERENCES recipe (recipe_id, kind)
);
COMMENT ON TABLE recipe_mixture IS 'The ingredients of a revision: tealines by bags, everything else by weight.';

-- Serves the question which recipes a lot is part of, and its foreign key.
CREATE INDEX recipe_mixture_by_item ON recipe_mixture (item_id) WHERE item_id IS NOT NULL;
-- Serves the question which flavors a blend is part of.
CREATE INDEX recipe_mixture_by_blend ON recipe_mixture (source_recipe_id) WHERE source_recipe_id IS NOT NULL;

CREATE TRIGGER recipe_mixture_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recipe_mixture
  FOR EACH STATEMENT EXECUTE FUNCTION sync.refuse_change();

GRANT SELECT, INSERT, UPDATE ON recipe, recipe_revision TO mtp_app;
GRANT SELECT, INSERT ON recipe_mixture TO mtp_app;
GRANT SELECT ON recipe, recipe_revision, recipe_mixture TO mtp_reader;

COMMIT;
