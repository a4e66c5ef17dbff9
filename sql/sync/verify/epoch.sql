-- Verify sync:epoch on pg

BEGIN;

SELECT
  singleton, own_epoch, peer_epoch, peer_heard_at, halted, halted_reason, peer_high_water, peer_sent_at,
  refused_by_peer, recovering
FROM sync.epoch WHERE false;

DO $$
BEGIN
  ASSERT (SELECT count(*) = 5 FROM pg_catalog.pg_constraint
    WHERE conrelid = 'sync.epoch'::regclass AND convalidated AND conname IN (
      'epoch_halt_has_reason', 'epoch_is_one_row', 'epoch_own_is_positive', 'epoch_peer_not_negative',
      'epoch_row_is_the_one')),
    'sync.epoch: a constraint is missing';
  ASSERT has_table_privilege('mtp_app', 'sync.epoch', 'SELECT')
    AND has_table_privilege('mtp_app', 'sync.epoch', 'UPDATE')
    AND NOT has_table_privilege('mtp_app', 'sync.epoch', 'INSERT, DELETE, TRUNCATE')
    AND has_table_privilege('mtp_reader', 'sync.epoch', 'SELECT')
    AND NOT has_table_privilege('mtp_reader', 'sync.epoch', 'INSERT, UPDATE, DELETE, TRUNCATE'),
    'sync.epoch: grants';
  ASSERT (SELECT count(*) = 1 FROM sync.epoch),
    'sync.epoch: has not one row';
END
$$;

ROLLBACK;
