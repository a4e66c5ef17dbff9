#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/handlers/context.h"
#include "common/rpc/validation.h"
#include "common/sync/receiver.h"
#include "mtp/sync/v1/states.pb.h"

// Taking the peer's word, state by state. A kind of state has one rule, by
// which it is judged whenever it comes: from the peer, or out of a dead letter.
namespace mtp::handlers {

// How one kind of state is heard. `Rows` has a sync::Link `link`.
template <typename Rows, typename State>
struct Hearing {
  std::string_view kind;  // as in sync.outbox
  std::function<std::string(const State&)> key;
  // Says which rows the rule needs.
  std::function<void(const State&, Rows&)> touch;
  // The rule. A state that is POISON has changed nothing.
  std::function<sync::v1::Verdict(const State&, Context&, Rows&)> apply;
  // The stamp of the copy that is kept of the same thing; nothing if there is
  // none. Unset for what never changes.
  std::function<std::optional<sync::KeptStamp>(const State&, const Rows&)>
      kept = {};
};

// A time in a state that may have none: `has` as its message says.
inline std::optional<absl::Time> TimeOf(
    bool has, const google::protobuf::Timestamp& time) {
  return has ? std::optional(FromProto(time)) : std::nullopt;
}

// What is said of a state that breaks the contract.
inline sync::v1::Verdict Invalid(std::string_view message) {
  return sync::Poison("INVALID_STATE", message);
}

// The rules that the contract declares, and what every stamp must have.
template <typename State>
std::optional<sync::v1::Verdict> JudgeForm(const State& state, absl::Time now) {
  static const auto* validator = new rpc::Validator(State::descriptor());
  if (absl::Status status = validator->Check(state, now); !status.ok()) {
    return Invalid(std::string(status.message()));
  }
  if (state.stamp().epoch() < 1 || state.stamp().version() < 1) {
    return Invalid("stamp.epoch and stamp.version must be at least 1");
  }
  return std::nullopt;
}

template <typename Rows, typename State>
void TouchState(const Hearing<Rows, State>& hearing, const State& state,
                Rows& rows) {
  rows.link.Want();
  rows.link.Want(hearing.kind, hearing.key(state));
  hearing.touch(state, rows);
}

// What is said of a state that the database refused by that rule; nothing new
// where it was taken meanwhile, by another way.
template <typename Rows, typename State>
sync::v1::Verdict JudgeRefused(const Hearing<Rows, State>& hearing,
                               const State& state, const std::string& rule,
                               const Rows& rows) {
  if (hearing.kept) {
    const std::optional<sync::KeptStamp> kept = hearing.kept(state, rows);
    if (kept.has_value() &&
        !rows.link.IsNewer(state.stamp(), kept->epoch, kept->version)) {
      return sync::Stale();
    }
  }
  return sync::Poison("BREAKS_RULE",
                      absl::StrCat("it breaks a rule of the schema: ", rule));
}

template <typename Rows, typename State>
sync::v1::Verdict HearState(const Hearing<Rows, State>& hearing,
                            const State& state, Context& context, Rows& rows) {
  const std::string key = hearing.key(state);
  if (rows.link.Dropped(hearing.kind, key, state.stamp())) return sync::Stale();
  sync::v1::Verdict verdict =
      context.broken_rule().has_value()
          ? JudgeRefused(hearing, state, *context.broken_rule(), rows)
          : hearing.apply(state, context, rows);
  rows.link.Judged(hearing.kind, key, state.stamp(), state, verdict,
                   context.now());
  return verdict;
}

template <typename Rows, typename State, typename Request>
void TouchStates(const Hearing<Rows, State>& hearing, const Request& request,
                 Rows& rows) {
  rows.link.Want();
  for (const State& state : request.states()) TouchState(hearing, state, rows);
}

// Judges state by state, so that one that cannot be understood does not hold up
// the others. Where one of several breaks a rule of the schema all are refused,
// for nobody knows which it is: the peer's relay tells them again by fewer.
template <typename Response, typename Rows, typename State, typename Request>
absl::StatusOr<Response> HearStates(const Hearing<Rows, State>& hearing,
                                    const Request& request, Context& context,
                                    Rows& rows) {
  if (context.broken_rule().has_value() && request.states_size() > 1) {
    return absl::InternalError("one of the states breaks a rule of the schema");
  }
  Response response;
  *response.mutable_receipt() =
      rows.link.Receive(request.sender(), context.now());
  if (response.receipt().refusal() != sync::v1::REFUSAL_UNSPECIFIED)
    return response;
  // Before anything of it is applied: what gives away that its owner was
  // restored, and nobody said so.
  for (const State& state : request.states()) {
    if (!hearing.kept) break;
    const std::optional<sync::KeptStamp> kept = hearing.kept(state, rows);
    if (!kept.has_value() || !sync::Forked(state.stamp(), *kept)) continue;
    *response.mutable_receipt() =
        rows.link.Halt(request.sender(), context.now(),
                       absl::StrCat(std::string(hearing.kind), " ",
                                    hearing.key(state), " has another past"));
    return response;
  }
  for (const State& state : request.states()) {
    *response.add_verdicts() = HearState(hearing, state, context, rows);
  }
  return response;
}

// The same for a state as it was kept, its type erased.
template <typename Rows>
struct EncodedHearing {
  std::string kind;
  std::function<void(const std::string& state, Rows&)> touch;
  // Nothing: these bytes are no state of the kind.
  std::function<std::optional<sync::v1::Verdict>(const std::string& state,
                                                 Context&, Rows&)>
      apply;
};

template <typename Rows, typename State>
EncodedHearing<Rows> Encoded(Hearing<Rows, State> hearing) {
  EncodedHearing<Rows> encoded;
  encoded.kind = std::string(hearing.kind);
  encoded.touch = [hearing](const std::string& bytes, Rows& rows) {
    State state;
    if (state.ParseFromString(bytes)) TouchState(hearing, state, rows);
  };
  encoded.apply = [hearing](const std::string& bytes, Context& context,
                            Rows& rows) -> std::optional<sync::v1::Verdict> {
    State state;
    if (!state.ParseFromString(bytes)) return std::nullopt;
    return HearState(hearing, state, context, rows);
  };
  return encoded;
}

}  // namespace mtp::handlers
