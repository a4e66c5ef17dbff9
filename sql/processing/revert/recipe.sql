-- Revert processing:recipe from pg

BEGIN;

DROP TABLE recipe_mixture;
DROP TABLE recipe_revision;
DROP TABLE recipe;

COMMIT;
