#include "common/sync/dead_letters.h"

#include "absl/strings/str_join.h"
#include "common/base/protos.h"
#include "common/sync/things.h"

namespace mtp::sync {
namespace {

constexpr std::string_view kColumns = R"(
  kind, key, dead_letter_id, epoch, version, reason, message, correlation_ids,
  first_seen_at, last_seen_at, attempts, settlement, settled_at, settled_by,
  settled_by_username, settled_by_role, drop_reason
)";

}  // namespace

const std::string_view kDeadLetterColumns = kColumns;

const db::Statement DeadLetter::kLoad =
    db::Compose({"SELECT ", kColumns, R"(, state
  FROM sync.dead_letter AS letter
  JOIN (SELECT kind, key FROM unnest($1::text[], $2::text[]) AS named (kind, key)
        UNION
        SELECT found.kind, found.key
        FROM unnest($3::uuid[]) AS asked (dead_letter_id)
        JOIN sync.dead_letter AS found USING (dead_letter_id)) AS wanted
    USING (kind, key)
  ORDER BY kind, key
  FOR UPDATE OF letter
)"});

const db::Statement DeadLetter::kInsert{R"(
  INSERT INTO sync.dead_letter AS letter
    (kind, key, dead_letter_id, epoch, version, reason, message, correlation_ids,
     first_seen_at, last_seen_at, attempts, settlement, settled_at, settled_by,
     settled_by_username, settled_by_role, drop_reason, state)
  SELECT kind, key, dead_letter_id, epoch, version, reason, message,
         coalesce(string_to_array(nullif(correlation_ids, ''), E'\n'), '{}'),
         first_seen_at, last_seen_at, attempts, settlement, settled_at, settled_by,
         settled_by_username, settled_by_role, drop_reason, state
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[],
              $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::bigint[],
              $12::text[], $13::timestamptz[], $14::text[], $15::text[], $16::text[],
              $17::text[], $18::bytea[])
    AS fresh (kind, key, dead_letter_id, epoch, version, reason, message,
              correlation_ids, first_seen_at, last_seen_at, attempts, settlement,
              settled_at, settled_by, settled_by_username, settled_by_role, drop_reason,
              state)
  ORDER BY kind, key
  ON CONFLICT (kind, key) DO UPDATE SET
    epoch = excluded.epoch, version = excluded.version, reason = excluded.reason,
    message = excluded.message, correlation_ids = excluded.correlation_ids,
    last_seen_at = excluded.last_seen_at, attempts = letter.attempts + 1,
    settlement = 'OPEN', settled_at = NULL, settled_by = '', settled_by_username = '',
    settled_by_role = '', drop_reason = '', state = excluded.state
  WHERE (letter.epoch, letter.version) <= (excluded.epoch, excluded.version)
    AND NOT (letter.settlement = 'DROPPED'
             AND (letter.epoch, letter.version) = (excluded.epoch, excluded.version))
)"};

const db::Statement DeadLetter::kUpdate{R"(
  UPDATE sync.dead_letter AS letter
  SET dead_letter_id = fresh.dead_letter_id, epoch = fresh.epoch, version = fresh.version,
      reason = fresh.reason, message = fresh.message,
      correlation_ids = coalesce(
        string_to_array(nullif(fresh.correlation_ids, ''), E'\n'), '{}'),
      first_seen_at = fresh.first_seen_at, last_seen_at = fresh.last_seen_at,
      attempts = fresh.attempts, settlement = fresh.settlement,
      settled_at = fresh.settled_at, settled_by = fresh.settled_by,
      settled_by_username = fresh.settled_by_username,
      settled_by_role = fresh.settled_by_role, drop_reason = fresh.drop_reason,
      state = fresh.state
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[],
              $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::bigint[],
              $12::text[], $13::timestamptz[], $14::text[], $15::text[], $16::text[],
              $17::text[], $18::bytea[])
    AS fresh (kind, key, dead_letter_id, epoch, version, reason, message,
              correlation_ids, first_seen_at, last_seen_at, attempts, settlement,
              settled_at, settled_by, settled_by_username, settled_by_role, drop_reason,
              state)
  WHERE letter.kind = fresh.kind AND letter.key = fresh.key
)"};

bool DeadLetter::NewerThan(const v1::Stamp& stamp) const {
  return epoch > stamp.epoch() ||
         (epoch == stamp.epoch() && version > stamp.version());
}

void DeadLetter::Settle(ops::v1::DeadLetterState how, absl::Time now) {
  settlement = how;
  settled_at = now;
}

std::string DeadLetter::JoinedCorrelationIds() const {
  return absl::StrJoin(correlation_ids, "\n");
}

ops::v1::DeadLetter Shown(const DeadLetter& letter) {
  ops::v1::DeadLetter shown;
  shown.set_dead_letter_id(letter.dead_letter_id.ToString());
  shown.set_kind(EntityKindOf(letter.kind));
  shown.set_key(letter.state_key);
  shown.set_epoch(letter.epoch);
  shown.set_version(letter.version);
  shown.set_reason(letter.reason);
  shown.set_message(letter.message);
  for (const std::string& id : letter.correlation_ids)
    shown.add_correlation_ids(id);
  *shown.mutable_received_at() = ToProto(letter.first_seen_at);
  shown.set_attempt_count(letter.attempts);
  *shown.mutable_last_attempt_at() = ToProto(letter.last_seen_at);
  shown.set_state(letter.settlement);
  if (!letter.settled_at.has_value()) return shown;
  *shown.mutable_settled_at() = ToProto(*letter.settled_at);
  shown.set_drop_reason(letter.drop_reason);
  // A newer state, or the same one offered again, settles it, too.
  if (letter.settled_by.empty()) return shown;
  shown.mutable_settled_by()->set_subject(letter.settled_by);
  shown.mutable_settled_by()->set_username(letter.settled_by_username);
  shown.mutable_settled_by()->set_role(letter.settled_by_role);
  return shown;
}

}  // namespace mtp::sync
