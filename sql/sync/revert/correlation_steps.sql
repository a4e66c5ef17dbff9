-- Revert sync:correlation_steps from pg

BEGIN;

DROP INDEX sync.exception_by_correlation_id;
DROP INDEX sync.dead_letter_by_correlation_id;

COMMIT;
