#include "common/sync/receiver.h"

#include <utility>

#include "common/base/protos.h"

namespace mtp::sync {
namespace {

constexpr db::Statement kLoad{R"(
  SELECT own_epoch, peer_epoch, halted FROM sync.epoch
)"};

// At most once a second: it is one row, and every lane writes it.
constexpr db::Statement kHeard{R"(
  UPDATE sync.epoch
  SET peer_epoch = greatest(peer_epoch, $1::bigint), peer_heard_at = now()
  WHERE peer_epoch < $1::bigint OR peer_heard_at IS NULL
     OR peer_heard_at < now() - interval '1 second'
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

bool Link::Dropped(std::string_view kind, const std::string& key,
                   const v1::Stamp& stamp) const {
  const DeadLetter* letter = LetterOf(kind, key);
  return letter != nullptr &&
         letter->settlement == ops::v1::DEAD_LETTER_STATE_DROPPED &&
         !IsNewer(stamp, letter->epoch, letter->version);
}

bool Link::Buried(std::string_view kind, const std::string& key,
                  const v1::Stamp& stamp) const {
  const DeadLetter* letter = LetterOf(kind, key);
  return letter != nullptr && letter->open() &&
         !IsNewer(stamp, letter->epoch, letter->version);
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
  if (wanted_) exchange.Add(kLoad);
}

void Link::TakeLoads(const db::Results& results, size_t& next) {
  if (!wanted_) return;
  results[next++][0].Into(own_epoch_, now_.peer_epoch, halted_);
  Keep();
}

void Link::AddStores(db::Exchange& exchange) {
  if (now_.heard) exchange.Add(kHeard, db::Params().Add(now_.peer_epoch));
}

void Link::Keep() { kept_ = now_; }
void Link::Undo() { now_ = kept_; }

void Link::Clear() {
  wanted_ = false;
  now_ = {};
  kept_ = {};
}

}  // namespace mtp::sync
