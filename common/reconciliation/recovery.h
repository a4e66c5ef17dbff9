#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/db/proto_enum.h"
#include "common/handlers/commands.h"
#include "common/handlers/exceptions.h"
#include "common/handlers/hearing.h"
#include "common/reconciliation/comparison.h"
#include "common/reconciliation/contents.h"
#include "common/reconciliation/facts.h"
#include "common/reconciliation/internal_call.h"

// Taking back from the peer what this side's database lost when it was restored
// from a backup: its own facts that only the peer still knows, and the peer's
// own that it was told since.
namespace mtp::reconciliation {

// What the side that is restored does about it.
template <typename Rows>
struct Recovering {
  // How the peer's own states are heard, by kind.
  std::vector<handlers::EncodedHearing<Rows>> hearings;
  // Whose facts are taken, in this order. Own ones first, so that the peer's
  // word on them meets them as they were; once more behind the peer's, if own
  // ones may be of things that only the peer can tell of.
  enum class Whose { kOwn, kPeers };
  std::vector<Whose> passes;
  // Own facts as the peer has them: which rows the rule needs, and the rule;
  // false: what it is of is not known here. `restored_to` as RestoredTo has it.
  std::function<void(const sync::v1::State&, Rows&)> touch;
  std::function<bool(const sync::v1::State&, absl::Time restored_to,
                     handlers::Context&, Rows&)>
      take;
  // Own codes that the peer was given: $1 the greatest, as its kind says.
  std::vector<std::pair<sync::v1::EntityKind, db::Statement>> jump;
  // What follows from all that was taken, in one transaction, under the
  // recovery's correlation id.
  std::function<void(const std::string& correlation_id, db::Exchange&)> finish;
  // What follows for things that were taken back, by the key in the trail.
  struct Consequence {
    std::string_view entity_kind;  // as the trail names it
    std::function<void(const std::string& key, Rows&)> touch;
    std::function<void(const std::string& key, handlers::Context&, Rows&)>
        decide;
  };
  std::vector<Consequence> consequences;
};

// An epoch that the peer has heard of was begun before what was restored: the
// one that begins now must be another. And what comes late of an epoch of the
// peer's that has ended is not heard, though the restored database knows no
// later one. `known` is what the peer says of both.
absl::Status RaiseBeyond(const sync::v1::Receipt& known,
                         db::Connection& connection);

// Whether it says nothing of what was tried: the database or the service was
// not ready for it.
bool WorthRepeating(const absl::Status& status);

// Marks the end of a recovery, and asks for a comparison of everything.
absl::Status EndRecovery(db::Connection& connection);

// The time of the last change that the database had when its server was
// started: what the peer knows of later times was lost, though people may have
// changed the same things since. Where the server was started again meanwhile
// it is a later time, and less is taken for lost than was.
absl::StatusOr<absl::Time> RestoredTo(db::Connection& connection);

// What this recovery has taken back, as the trail has it: `shipment:17/1`.
absl::StatusOr<std::set<std::string>> TakenBack(std::string_view correlation_id,
                                                db::Connection& connection);

// What people call the thing of a state: `shipment:17/1`, whichever of the
// kinds of a shipment's states it is.
std::string ThingOf(const sync::v1::State& state);
// That one of our own facts, as the peer has it, could not be taken back, or
// that what follows from it could not be done.
sync::Exception NotTakenBack(const std::string& thing, common::v1::Side side,
                             const handlers::Context& context);

struct RecoveryOptions {
  PeerAccess peer;
  const std::vector<Facts>* facts = nullptr;
  std::string service_name;
  std::function<void()> marked;
};

// All of it; done again from the beginning when it fails on the way, for it
// changes nothing twice. One state that cannot be taken holds up no other: an
// own one is an exception for people, a peer's one is told again by its owner.
template <typename Rows>
class Recovery {
 public:
  Recovery(RecoveryOptions options, Recovering<Rows> side,
           handlers::Commands<Rows>& commands)
      : options_(std::move(options)),
        side_(std::move(side)),
        commands_(commands) {}

  absl::Status Run(db::Connection& connection,
                   const std::function<bool()>& stop) {
    Comparison comparison(options_.peer, connection);
    ASSIGN_OR_RETURN(const sync::v1::Receipt known,
                     comparison.Introduce(options_.facts->front()));
    RETURN_IF_ERROR(RaiseBeyond(known, connection));
    ASSIGN_OR_RETURN(const sync::v1::Sender self, comparison.Sender());
    correlation_id_ = absl::StrCat("recovery-", self.epoch());
    ASSIGN_OR_RETURN(restored_to_, RestoredTo(connection));
    for (const auto& [kind, statement] : side_.jump) {
      const Facts* facts = Find(*options_.facts, kind, options_.peer.side);
      ASSIGN_OR_RETURN(const sync::v1::GetDigestsResponse digests,
                       comparison.PeerDigests(*facts, 0, 0));
      RETURN_IF_ERROR(
          connection.Run(statement, db::Params().Add(digests.highest_code()))
              .status());
    }
    for (auto at = side_.passes.begin(); at != side_.passes.end(); ++at) {
      const Pass pass{.own = *at == Whose::kOwn,
                      .last = std::find(at + 1, side_.passes.end(), *at) ==
                              side_.passes.end()};
      // Own ones once: people may have gone on with them since.
      if (pass.own) {
        ASSIGN_OR_RETURN(taken_back_, TakenBack(correlation_id_, connection));
      }
      for (const Facts& facts : *options_.facts) {
        // The chain of seals goes on under the new epoch; what the peer keeps
        // of the lost ones, it keeps.
        if (facts.kind == sync::v1::ENTITY_KIND_SEAL) continue;
        if ((facts.owner == options_.peer.side) != pass.own) continue;
        RETURN_IF_ERROR(TakeKind(comparison, facts, pass, stop));
      }
    }
    if (side_.finish) {
      db::Exchange finish;
      side_.finish(correlation_id_, finish);
      RETURN_IF_ERROR(connection.Run(finish).status());
    }
    ASSIGN_OR_RETURN(taken_back_, TakenBack(correlation_id_, connection));
    for (const auto& consequence : side_.consequences)
      RETURN_IF_ERROR(Draw(consequence, stop));
    RETURN_IF_ERROR(EndRecovery(connection));
    if (options_.marked) options_.marked();
    return absl::OkStatus();
  }

 private:
  static constexpr ptrdiff_t kStatesAtOnce = 100;

  using Whose = typename Recovering<Rows>::Whose;
  using Consequence = typename Recovering<Rows>::Consequence;
  using States = std::vector<sync::v1::State>;
  struct Pass {
    bool own = false;
    bool last = false;  // of its sort
  };

  absl::Status TakeKind(Comparison& comparison, const Facts& facts, Pass pass,
                        const std::function<bool()>& stop) {
    int64_t compared = 0;
    ASSIGN_OR_RETURN(const std::vector<int64_t> differing,
                     comparison.DifferingBuckets(facts, 0, kBucketCount - 1,
                                                 compared, stop));
    for (size_t first = 0; first < differing.size(); first += kBucketsAtOnce) {
      ASSIGN_OR_RETURN(
          const States states,
          comparison.PeerStates(
              facts,
              std::span(differing).subspan(
                  first, std::min(kBucketsAtOnce, differing.size() - first))));
      for (auto from = states.begin(); from != states.end();) {
        if (stop()) return absl::CancelledError("stopping");
        const auto to =
            from + std::min<ptrdiff_t>(kStatesAtOnce, states.end() - from);
        RETURN_IF_ERROR(pass.own ? TakeOwn(pass, {from, to})
                                 : HearAll(facts, {from, to}));
        from = to;
      }
    }
    return absl::OkStatus();
  }

  absl::Status TakeOwn(Pass pass, States states) {
    const auto all = std::make_shared<const States>(std::move(states));
    // Those that are of something unknown here.
    const auto untaken = std::make_shared<States>();
    const absl::Status taken =
        Do({.touch =
                [this, all](Rows& rows) {
                  for (const sync::v1::State& state : *all)
                    side_.touch(state, rows);
                },
            .decide = [this, all, untaken](
                          handlers::Context& context,
                          Rows& rows) -> absl::StatusOr<std::string> {
              untaken->clear();
              for (const sync::v1::State& state : *all) {
                if (!taken_back_.contains(ThingOf(state)) &&
                    !side_.take(state, restored_to_, context, rows)) {
                  untaken->push_back(state);
                }
              }
              return std::string();
            },
            .remembered = false});
    if (taken.ok()) return pass.last ? TellPeople(*untaken) : absl::OkStatus();
    if (WorthRepeating(taken)) return taken;
    if (all->size() == 1)
      return pass.last ? TellPeople(*all) : absl::OkStatus();
    return InHalves(
        *all, [&](States half) { return TakeOwn(pass, std::move(half)); });
  }

  absl::Status HearAll(const Facts& facts, States states) {
    const std::string kind(db::EnumText(facts.kind));
    const auto hearing =
        std::find_if(side_.hearings.begin(), side_.hearings.end(),
                     [&](const auto& known) { return known.kind == kind; });
    if (hearing == side_.hearings.end()) return absl::OkStatus();
    const auto all = std::make_shared<const States>(std::move(states));
    const absl::Status heard = Do(
        {.touch =
             [hearing, all](Rows& rows) {
               for (const sync::v1::State& state : *all)
                 hearing->touch(ContentOf(state).SerializeAsString(), rows);
             },
         .decide = [hearing, all](handlers::Context& context,
                                  Rows& rows) -> absl::StatusOr<std::string> {
           if (context.broken_rule().has_value() && all->size() > 1)
             return absl::InternalError("one of the states breaks a rule");
           for (const sync::v1::State& state : *all)
             hearing->apply(ContentOf(state).SerializeAsString(), context,
                            rows);
           return std::string();
         },
         .remembered = false,
         .answers_broken_rule = true});
    if (heard.ok() || WorthRepeating(heard)) return heard;
    if (all->size() == 1) return absl::OkStatus();
    return InHalves(
        *all, [&](States half) { return HearAll(facts, std::move(half)); });
  }

  // One of them may be the cause: it is taken alone, and the others without it.
  template <typename Take>
  static absl::Status InHalves(const States& all, Take take) {
    const auto middle = all.begin() + static_cast<ptrdiff_t>(all.size() / 2);
    RETURN_IF_ERROR(take({all.begin(), middle}));
    return take({middle, all.end()});
  }

  absl::Status TellPeople(const States& untaken) {
    for (const sync::v1::State& state : untaken)
      RETURN_IF_ERROR(TellPeople(ThingOf(state)));
    return absl::OkStatus();
  }
  absl::Status TellPeople(const std::string& thing) {
    return Do({.touch = [&](Rows& rows) { rows.exceptions_of.Want(thing); },
               .decide = [&](handlers::Context& context,
                             Rows& rows) -> absl::StatusOr<std::string> {
                 handlers::OpenOnce(
                     NotTakenBack(thing, options_.peer.side, context), context,
                     rows.exceptions);
                 return std::string();
               },
               .remembered = false});
  }

  absl::Status Draw(const Consequence& consequence,
                    const std::function<bool()>& stop) {
    const std::string kind = sync::ThingText(consequence.entity_kind, "");
    for (const std::string& thing : taken_back_) {
      if (!thing.starts_with(kind)) continue;
      if (stop()) return absl::CancelledError("stopping");
      const std::string key = thing.substr(kind.size());
      const absl::Status drawn =
          Do({.touch = [&](Rows& rows) { consequence.touch(key, rows); },
              .decide = [&](handlers::Context& context,
                            Rows& rows) -> absl::StatusOr<std::string> {
                consequence.decide(key, context, rows);
                return std::string();
              },
              .remembered = false});
      if (WorthRepeating(drawn)) return drawn;
      if (!drawn.ok()) RETURN_IF_ERROR(TellPeople(thing));
    }
    return absl::OkStatus();
  }

  absl::Status Do(handlers::Work<Rows> work) {
    auto outcome = std::make_shared<InternalCall::Outcome>();
    commands_.Do(std::make_unique<InternalCall>(
                     "mtp.ops.v1.OperationsService.StartEpoch",
                     options_.service_name, correlation_id_, outcome),
                 std::move(work));
    return WaitFor(*outcome);
  }

  const RecoveryOptions options_;
  const Recovering<Rows> side_;
  handlers::Commands<Rows>& commands_;
  // Of all that is taken back, with the number of the epoch.
  std::string correlation_id_;
  absl::Time restored_to_;
  std::set<std::string> taken_back_;
};

}  // namespace mtp::reconciliation
