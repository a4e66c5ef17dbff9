#include "common/sync/receiver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/test_points.h"

namespace mtp::sync {
namespace {

// Each time: what was told last is what a restore is measured by; within the
// epoch, which another call may have raised meanwhile.
constexpr db::Statement kHeard{R"(
  UPDATE sync.epoch
  SET peer_epoch = greatest(peer_epoch, $1::bigint), peer_heard_at = now(),
      peer_high_water = CASE WHEN peer_epoch < $1::bigint THEN $2::bigint
                             WHEN peer_epoch = $1::bigint THEN greatest(peer_high_water, $2::bigint)
                             ELSE peer_high_water END,
      peer_sent_at = CASE WHEN peer_epoch < $1::bigint THEN $3::timestamptz
                          WHEN peer_epoch = $1::bigint THEN greatest(peer_sent_at, $3::timestamptz)
                          ELSE peer_sent_at END,
      halted = halted AND peer_epoch >= $1::bigint
)"};

constexpr db::Statement kHalt{R"(
  UPDATE sync.epoch SET halted = true, halted_reason = $2::text
  WHERE peer_epoch = $1::bigint AND NOT halted
)"};

constexpr db::Statement kCompareAll{R"(
  INSERT INTO sync.reconcile_run (run_id, cause, correlation_id)
  VALUES ($1::uuid, 'RECOVERY', 'recovery')
)"};

constexpr db::Statement kStartEpoch{R"(
  UPDATE sync.epoch SET own_epoch = $1::bigint, recovering = true, refused_by_peer = ''
  WHERE own_epoch < $1::bigint
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

void AskToCompareAll(db::Exchange& exchange, absl::Time now) {
  exchange.Add(kCompareAll, db::Params().Add(Uuid::V7(now)));
}

void HaltPeer(int64_t epoch, const std::string& reason,
              db::Exchange& exchange) {
  exchange.Add(kHalt, db::Params().Add(epoch).Add(reason));
}

std::string FellBackReason(const v1::Sender& sender, const LinkState& link) {
  return absl::StrCat("its high water fell from ", link.peer_high_water, " to ",
                      sender.high_water());
}

v1::Receipt Link::Receive(const v1::Sender& sender, absl::Time now) {
  now_.link.now = now;
  v1::Receipt receipt = ReceiptFor(sender, now_.link);
  if (receipt.refusal() == v1::REFUSAL_VERSIONS_FELL_BACK &&
      !now_.link.halted) {
    return Halt(sender, now, FellBackReason(sender, now_.link));
  }
  if (receipt.refusal() != v1::REFUSAL_UNSPECIFIED) return receipt;
  if (now_.link.peer_epoch > 0 && sender.epoch() > now_.link.peer_epoch)
    now_.peer_restored = true;
  if (sender.epoch() > now_.link.peer_epoch) {
    now_.link.halted = false;
    now_.link.peer_high_water = 0;
    now_.link.peer_sent_at.reset();
  }
  now_.link.peer_epoch = sender.epoch();
  const absl::Time sent_at = FromProto(sender.sent_at());
  now_.link.peer_high_water =
      std::max(now_.link.peer_high_water, sender.high_water());
  now_.link.peer_sent_at =
      std::max(now_.link.peer_sent_at.value_or(sent_at), sent_at);
  now_.heard = true;
  return receipt;
}

v1::Receipt Link::Halt(const v1::Sender& sender, absl::Time now,
                       std::string reason) {
  now_.link.now = now;
  now_.link.halted = true;
  now_.halted_reason = std::move(reason);
  return ReceiptFor(sender, now_.link);
}

void Link::StartEpoch() {
  if (!Planted("epoch-not-raised")) ++now_.link.own_epoch;
  now_.epoch_started = true;
}

bool Link::IsNewer(const v1::Stamp& stamp, int64_t kept_epoch,
                   int64_t kept_version) const {
  return kept_epoch > std::max(stamp.epoch(), now_.link.peer_epoch) ||
         sync::IsNewer(stamp, kept_epoch, kept_version);
}

bool Link::Dropped(std::string_view kind, const std::string& key,
                   const v1::Stamp& stamp) const {
  const DeadLetter* letter = LetterOf(kind, key);
  return letter != nullptr &&
         letter->settlement == ops::v1::DEAD_LETTER_STATE_DROPPED &&
         !sync::IsNewer(stamp, letter->epoch, letter->version);
}

bool Link::Buried(std::string_view kind, const std::string& key,
                  const v1::Stamp& stamp) const {
  const DeadLetter* letter = LetterOf(kind, key);
  return letter != nullptr && letter->open() &&
         !sync::IsNewer(stamp, letter->epoch, letter->version);
}

void Link::Judged(std::string_view kind, const std::string& key,
                  const v1::Stamp& stamp,
                  const google::protobuf::Message& state,
                  const v1::Verdict& verdict, absl::Time now) {
  const DeadLetter* found = LetterOf(kind, key);
  // What comes late does not take the place of what is newer.
  if (found != nullptr && found->open() && found->NewerThan(stamp)) return;
  if (verdict.code() == v1::VERDICT_CODE_APPLIED) {
    if (found == nullptr || !found->open()) return;
    letters_.Edit(*found).Settle(ops::v1::DEAD_LETTER_STATE_APPLIED, now);
    return;
  }
  if (verdict.code() != v1::VERDICT_CODE_POISON) return;
  DeadLetter letter{.kind = std::string(kind), .state_key = key};
  if (found != nullptr && found->open()) {
    letter = *found;
  } else {
    letter.dead_letter_id = Uuid::V7(now);
    letter.first_seen_at = now;
  }
  letter.epoch = stamp.epoch();
  letter.version = stamp.version();
  letter.reason = verdict.reason();
  letter.message = verdict.message();
  letter.correlation_ids.assign(stamp.correlation_ids().begin(),
                                stamp.correlation_ids().end());
  letter.last_seen_at = now;
  ++letter.attempts;
  letter.state = {state.SerializeAsString()};
  if (found != nullptr) {
    letters_.Edit(*found) = std::move(letter);
  } else {
    letters_.Insert(std::move(letter));
  }
}

void Link::AddLoads(db::Exchange& exchange) {
  if (wanted_) exchange.Add(kReadLinkState);
}

void Link::TakeLoads(const db::Results& results, size_t& next) {
  if (!wanted_) return;
  now_.link = ReadLinkState(results[next++][0]);
  Keep();
}

void Link::AddStores(db::Exchange& exchange) {
  if (now_.heard) {
    exchange.Add(kHeard, db::Params()
                             .Add(now_.link.peer_epoch)
                             .Add(now_.link.peer_high_water)
                             .Add(now_.link.peer_sent_at));
  }
  // What the peer lost in its restore it must be told again.
  if (now_.peer_restored) AskToCompareAll(exchange, now_.link.now);
  if (!now_.halted_reason.empty())
    HaltPeer(now_.link.peer_epoch, now_.halted_reason, exchange);
  if (now_.epoch_started)
    exchange.Add(kStartEpoch, db::Params().Add(now_.link.own_epoch));
}

void Link::Keep() { kept_ = now_; }
void Link::Undo() { now_ = kept_; }

void Link::Clear() {
  wanted_ = false;
  now_ = {};
  kept_ = {};
}

}  // namespace mtp::sync
