#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/db/proto_enum.h"
#include "common/handlers/commands.h"
#include "common/handlers/exceptions.h"
#include "common/handlers/hearing.h"
#include "common/reconciliation/comparison.h"
#include "common/reconciliation/contents.h"
#include "common/reconciliation/facts.h"

// Taking back from the peer what this side's database lost when it was restored
// from a backup: its own facts that only the peer still knows, and the peer's
// own that it was told since.
namespace mtp::reconciliation {

// What the side that is restored does about it.
template <typename Rows>
struct Recovering {
  // How the peer's own states are heard, by kind.
  std::vector<handlers::EncodedHearing<Rows>> hearings;
  // Whether own facts come first, so that what the peer says of them is
  // understood; else the peer's come first.
  bool own_first = false;
  // Own facts as the peer has them: which rows the rule needs, and the rule.
  std::function<void(const sync::v1::State&, Rows&)> touch;
  std::function<void(const sync::v1::State&, handlers::Context&, Rows&)> take;
  // Own codes that the peer was given: $1 the greatest, as its kind says.
  std::vector<std::pair<sync::v1::EntityKind, db::Statement>> jump;
  // What follows from all that was taken, in one transaction.
  std::vector<db::Statement> finish;
};

// A call that the service makes to itself: its answer is waited for.
class InternalCall final : public rpc::Call {
 public:
  struct Outcome {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<absl::Status> status;
  };

  // `method` as `mtp.ops.v1.OperationsService.StartEpoch`: what the audit trail
  // names as the cause.
  InternalCall(std::string_view method_name, std::string service_name,
               std::string correlation, std::shared_ptr<Outcome> outcome);
  ~InternalCall() override;

  bool Cancelled() const override { return false; }
  void AddTrailer(std::string_view, std::string_view) override {}
  void Reply(std::string) override { Settle(absl::OkStatus()); }
  void ReplyStream(std::vector<std::string>) override {
    Settle(absl::OkStatus());
  }
  void Fail(absl::Status status) override { Settle(std::move(status)); }

 private:
  void Settle(absl::Status status);
  std::shared_ptr<Outcome> outcome_;
};
absl::Status WaitFor(InternalCall::Outcome& outcome);

// An epoch that the peer has heard of was begun before what was restored: the
// one that begins now must be another. `known` is the greatest of ours that the
// peer knows.
absl::Status RaiseBeyond(int64_t known, db::Connection& connection);

// Whether it says nothing of what was tried: the database or the service was
// not ready for it.
bool WorthRepeating(const absl::Status& status);

// Marks the end of a recovery, and asks for a comparison of everything.
absl::Status EndRecovery(db::Connection& connection);

// That one of our own facts, as the peer has it, could not be taken back.
sync::Exception NotTakenBack(const sync::v1::State& state,
                             common::v1::Side side,
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
    ASSIGN_OR_RETURN(const int64_t known_epoch,
                     comparison.KnownEpoch(options_.facts->front()));
    RETURN_IF_ERROR(RaiseBeyond(known_epoch, connection));
    ASSIGN_OR_RETURN(const sync::v1::Sender self, comparison.Sender());
    correlation_id_ = absl::StrCat("recovery-", self.epoch());
    for (const auto& [kind, statement] : side_.jump) {
      const Facts* facts = Find(*options_.facts, kind, options_.peer.side);
      ASSIGN_OR_RETURN(const sync::v1::GetDigestsResponse known,
                       comparison.PeerDigests(*facts, 0, 0));
      RETURN_IF_ERROR(
          connection.Run(statement, db::Params().Add(known.highest_code()))
              .status());
    }
    for (const bool own : {side_.own_first, !side_.own_first}) {
      for (const Facts& facts : *options_.facts) {
        // The chain of seals goes on under the new epoch; what the peer keeps
        // of the lost ones, it keeps.
        if (facts.kind == sync::v1::ENTITY_KIND_SEAL) continue;
        if ((facts.owner == options_.peer.side) != own) continue;
        RETURN_IF_ERROR(TakeKind(comparison, facts, own, stop));
      }
    }
    db::Exchange finish;
    for (const db::Statement& statement : side_.finish) finish.Add(statement);
    if (!finish.empty()) RETURN_IF_ERROR(connection.Run(finish).status());
    RETURN_IF_ERROR(EndRecovery(connection));
    if (options_.marked) options_.marked();
    return absl::OkStatus();
  }

 private:
  static constexpr ptrdiff_t kStatesAtOnce = 100;

  absl::Status TakeKind(Comparison& comparison, const Facts& facts, bool own,
                        const std::function<bool()>& stop) {
    int64_t compared = 0;
    ASSIGN_OR_RETURN(const std::vector<int64_t> differing,
                     comparison.DifferingBuckets(facts, 0, kBucketCount - 1,
                                                 compared, stop));
    for (size_t first = 0; first < differing.size(); first += kBucketsAtOnce) {
      ASSIGN_OR_RETURN(
          const std::vector<sync::v1::State> states,
          comparison.PeerStates(
              facts,
              std::span(differing).subspan(
                  first, std::min(kBucketsAtOnce, differing.size() - first))));
      for (auto from = states.begin(); from != states.end();) {
        if (stop()) return absl::CancelledError("stopping");
        const auto to =
            from + std::min<ptrdiff_t>(kStatesAtOnce, states.end() - from);
        RETURN_IF_ERROR(TakeAll(facts, own, {from, to}));
        from = to;
      }
    }
    return absl::OkStatus();
  }

  absl::Status TakeAll(const Facts& facts, bool own,
                       std::vector<sync::v1::State> states) {
    const std::string kind(db::EnumText(facts.kind));
    const handlers::EncodedHearing<Rows>* hearing = nullptr;
    for (const auto& known : side_.hearings) {
      if (known.kind == kind) hearing = &known;
    }
    if (!own && hearing == nullptr) return absl::OkStatus();
    auto all =
        std::make_shared<const std::vector<sync::v1::State>>(std::move(states));
    handlers::Work<Rows> work{.remembered = false, .answers_broken_rule = !own};
    if (own) {
      work.touch = [this, all](Rows& rows) {
        for (const sync::v1::State& state : *all) side_.touch(state, rows);
      };
      work.decide = [this, all](handlers::Context& context,
                                Rows& rows) -> absl::StatusOr<std::string> {
        for (const sync::v1::State& state : *all)
          side_.take(state, context, rows);
        return std::string();
      };
    } else {
      work.touch = [hearing, all](Rows& rows) {
        for (const sync::v1::State& state : *all)
          hearing->touch(ContentOf(state).SerializeAsString(), rows);
      };
      work.decide = [hearing, all](handlers::Context& context,
                                   Rows& rows) -> absl::StatusOr<std::string> {
        if (context.broken_rule().has_value() && all->size() > 1) {
          return absl::InternalError("one of the states breaks a rule");
        }
        for (const sync::v1::State& state : *all)
          hearing->apply(ContentOf(state).SerializeAsString(), context, rows);
        return std::string();
      };
    }
    const absl::Status taken = Do(std::move(work));
    if (taken.ok() || WorthRepeating(taken)) return taken;
    if (all->size() == 1) {
      return own ? TellPeople(all->front()) : absl::OkStatus();
    }
    // One of them may be the cause: it is taken alone, and the others without
    // it.
    const auto middle = all->begin() + static_cast<ptrdiff_t>(all->size() / 2);
    RETURN_IF_ERROR(TakeAll(facts, own, {all->begin(), middle}));
    return TakeAll(facts, own, {middle, all->end()});
  }

  absl::Status TellPeople(const sync::v1::State& state) {
    return Do({.touch = [](Rows&) {},
               .decide = [&](handlers::Context& context,
                             Rows& rows) -> absl::StatusOr<std::string> {
                 handlers::OpenOnce(
                     NotTakenBack(state, options_.peer.side, context), context,
                     rows.exceptions);
                 return std::string();
               },
               .remembered = false});
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
};

}  // namespace mtp::reconciliation
