#include "common/sync/receiver.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "common/base/protos.h"

namespace mtp::sync {
namespace {

constexpr db::Statement kLoad{R"(
  SELECT own_epoch, peer_epoch, halted, EXISTS (SELECT FROM sync.dead_letter WHERE settlement = 'OPEN')
  FROM sync.epoch
)"};

// At most once a second: it is one row, and every lane writes it.
constexpr db::Statement kHeard{R"(
  UPDATE sync.epoch
  SET peer_epoch = greatest(peer_epoch, $1::bigint), peer_heard_at = now()
  WHERE peer_epoch < $1::bigint OR peer_heard_at IS NULL
     OR peer_heard_at < now() - interval '1 second'
)"};

constexpr db::Statement kBury{R"(
  INSERT INTO sync.dead_letter AS letter
    (kind, key, version, epoch, state, reason, message, correlation_ids)
  SELECT kind, key, version, epoch, state, reason, message,
         coalesce(string_to_array(nullif(correlation_ids, ''), E'\n'), '{}')
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[],
              $6::text[], $7::text[], $8::text[])
    AS fresh (kind, key, version, epoch, state, reason, message, correlation_ids)
  ON CONFLICT (kind, key) DO UPDATE SET
    version = excluded.version, epoch = excluded.epoch, state = excluded.state,
    reason = excluded.reason, message = excluded.message,
    correlation_ids = excluded.correlation_ids, last_seen_at = now(),
    attempts = letter.attempts + 1, settlement = 'OPEN', settled_at = NULL,
    settled_by = '', settled_by_username = '', settled_by_role = '', drop_reason = ''
)"};

constexpr db::Statement kUnbury{R"(
  UPDATE sync.dead_letter AS letter SET settlement = 'APPLIED', settled_at = now()
  FROM unnest($1::text[], $2::text[]) AS applied (kind, key)
  WHERE letter.kind = applied.kind AND letter.key = applied.key
    AND letter.settlement = 'OPEN'
)"};

}  // namespace

v1::Verdict Applied() {
  v1::Verdict verdict;
  verdict.set_code(v1::VERDICT_CODE_APPLIED);
  return verdict;
}

v1::Verdict Stale() {
  v1::Verdict verdict;
  verdict.set_code(v1::VERDICT_CODE_STALE);
  return verdict;
}

v1::Verdict Poison(std::string_view reason, std::string_view message) {
  v1::Verdict verdict;
  verdict.set_code(v1::VERDICT_CODE_POISON);
  verdict.set_reason(std::string(reason));
  verdict.set_message(std::string(message));
  return verdict;
}

v1::Receipt Link::Receive(const v1::Sender& sender, absl::Time now) {
  v1::Receipt receipt;
  receipt.set_receiver_epoch(own_epoch_);
  *receipt.mutable_received_at() = ToProto(now);
  if (halted_) {
    receipt.set_refusal(v1::REFUSAL_VERSIONS_FELL_BACK);
  } else if (sender.epoch() < now_.peer_epoch) {
    receipt.set_refusal(v1::REFUSAL_EPOCH_SUPERSEDED);
  } else {
    now_.peer_epoch = sender.epoch();
    now_.heard = true;
  }
  receipt.set_sender_epoch(now_.peer_epoch);
  return receipt;
}

void Link::Bury(std::string_view kind, std::string key, const v1::Stamp& stamp,
                const google::protobuf::Message& state,
                const v1::Verdict& verdict) {
  now_.buried.push_back(
      {.kind = std::string(kind),
       .key = std::move(key),
       .version = stamp.version(),
       .epoch = stamp.epoch(),
       .state = state.SerializeAsString(),
       .reason = verdict.reason(),
       .message = verdict.message(),
       .correlation_ids = absl::StrJoin(stamp.correlation_ids(), "\n")});
}

void Link::Unbury(std::string_view kind, std::string key) {
  if (any_dead_letter_)
    now_.unburied.emplace_back(std::string(kind), std::move(key));
}

void Link::AddLoads(db::Exchange& exchange) {
  if (wanted_) exchange.Add(kLoad);
}

void Link::TakeLoads(const db::Results& results, size_t& next) {
  if (!wanted_) return;
  results[next++][0].Into(own_epoch_, now_.peer_epoch, halted_,
                          any_dead_letter_);
  Keep();
}

void Link::AddStores(db::Exchange& exchange) {
  if (now_.heard) exchange.Add(kHeard, db::Params().Add(now_.peer_epoch));
  if (!now_.unburied.empty()) {
    exchange.Add(
        kUnbury,
        db::Params()
            .Array(now_.unburied, [](const auto& u) { return u.first; })
            .Array(now_.unburied, [](const auto& u) { return u.second; }));
  }
  // The last word on a thing counts; a statement may name it only once.
  std::vector<DeadLetter> last;
  for (auto letter = now_.buried.rbegin(); letter != now_.buried.rend();
       ++letter) {
    const bool known =
        std::any_of(last.begin(), last.end(), [&](const DeadLetter& l) {
          return l.kind == letter->kind && l.key == letter->key;
        });
    if (!known) last.push_back(*letter);
  }
  if (last.empty()) return;
  exchange.Add(
      kBury, db::Params()
                 .Array(last, &DeadLetter::kind)
                 .Array(last, &DeadLetter::key)
                 .Array(last, &DeadLetter::version)
                 .Array(last, &DeadLetter::epoch)
                 .Array(last, [](const auto& l) { return db::Bytes{l.state}; })
                 .Array(last, &DeadLetter::reason)
                 .Array(last, &DeadLetter::message)
                 .Array(last, &DeadLetter::correlation_ids));
}

void Link::Keep() { kept_ = now_; }
void Link::Undo() { now_ = kept_; }

void Link::Clear() {
  wanted_ = false;
  now_ = {};
  kept_ = {};
}

}  // namespace mtp::sync
