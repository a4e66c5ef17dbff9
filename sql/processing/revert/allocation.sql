-- Revert processing:allocation from pg

BEGIN;

DROP TABLE allocation_release;
DROP TABLE allocation;
DROP FUNCTION refuse_allocation_against_rule();
DROP TABLE allocation_rule;

COMMIT;
