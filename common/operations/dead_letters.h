#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/handlers/commands.h"
#include "common/handlers/hearing.h"
#include "common/handlers/intercepted_call.h"
#include "common/handlers/queries.h"
#include "common/sync/dead_letters.h"
#include "mtp/ops/v1/operations.pb.h"

// The states of the peer that one side could not apply, as operators see, retry
// and drop them.
namespace mtp::operations {

using DeadLetters = db::Table<sync::DeadLetter>;

// The letter of that id, if it may still be settled; DEAD_LETTER_NOT_FOUND,
// DEAD_LETTER_SETTLED.
absl::StatusOr<const sync::DeadLetter*> OpenDeadLetter(
    const Uuid& id, const DeadLetters& letters);

// The rule of DropDeadLetter.
absl::StatusOr<ops::v1::DropDeadLetterResponse> DropDeadLetter(
    const ops::v1::DropDeadLetterRequest& request, handlers::Context& context,
    DeadLetters& letters);

// What comes of applying it once more. `verdict` is what the rule of its kind
// said, nothing if it could not even be read; the rule has counted the attempt
// (sync::Link::Judged).
ops::v1::RetryDeadLetterResponse FinishRetry(
    const sync::DeadLetter& letter,
    const std::optional<sync::v1::Verdict>& verdict, handlers::Context& context,
    DeadLetters& letters);

template <typename Rows>
void TouchDropDeadLetter(const ops::v1::DropDeadLetterRequest& request,
                         Rows& rows) {
  rows.dead_letters_by_id.Want(*Uuid::Parse(request.dead_letter_id()));
}

template <typename Rows>
absl::StatusOr<ops::v1::DropDeadLetterResponse> DecideDropDeadLetter(
    const ops::v1::DropDeadLetterRequest& request, handlers::Context& context,
    Rows& rows) {
  return DropDeadLetter(request, context, rows.dead_letters);
}

// Reads the letter, if there is one, beside any transaction.
using Letter = std::optional<sync::DeadLetter>;
void ReadDeadLetter(const Uuid& id, absl::Time deadline,
                    handlers::QueryLanes& lanes,
                    std::function<void(absl::StatusOr<Letter>)> take);

// Retries letters, each by the rule that the peer's own call is judged by.
template <typename Rows>
class DeadLetterRetries {
 public:
  // `commands` and `lanes` outlive it.
  DeadLetterRetries(handlers::Commands<Rows>& commands,
                    handlers::QueryLanes& lanes,
                    std::vector<handlers::EncodedHearing<Rows>> hearings)
      : commands_(commands), lanes_(lanes), hearings_(std::move(hearings)) {}

  // What a state touches is known once it was read: that comes first.
  void Handle(std::unique_ptr<rpc::Call> call) const {
    const auto& request =
        static_cast<const ops::v1::RetryDeadLetterRequest&>(*call->message);
    const Uuid id = *Uuid::Parse(request.dead_letter_id());
    const absl::Time deadline = call->deadline;
    auto shared = std::make_shared<std::unique_ptr<rpc::Call>>(std::move(call));
    ReadDeadLetter(id, deadline, lanes_,
                   [this, id, shared](absl::StatusOr<Letter> read) {
                     if (!read.ok()) return (*shared)->Fail(read.status());
                     Retry(id, *std::move(read), std::move(*shared));
                   });
  }

 private:
  void Retry(const Uuid& id, Letter read,
             std::unique_ptr<rpc::Call> call) const {
    const auto letter = std::make_shared<const Letter>(std::move(read));
    const auto* hearing = letter->has_value() ? Find((*letter)->kind) : nullptr;
    // Another state took its place meanwhile: it is read again.
    const auto changed = std::make_shared<bool>(false);
    auto intercepted = std::make_unique<handlers::InterceptedCall>(
        std::move(call), [this, changed](std::unique_ptr<rpc::Call> inner,
                                         absl::StatusOr<std::string> answer) {
          if (*changed) return Handle(std::move(inner));
          if (!answer.ok()) return inner->Fail(answer.status());
          inner->Reply(*std::move(answer));
        });
    handlers::Work<Rows> work{.answers_broken_rule = true};
    work.touch = [id, letter, hearing, changed](Rows& rows) {
      *changed = false;
      rows.dead_letters_by_id.Want(id);
      if (hearing != nullptr) hearing->touch((*letter)->state.value, rows);
    };
    work.decide = [id, letter, hearing, changed](
                      handlers::Context& context,
                      Rows& rows) -> absl::StatusOr<std::string> {
      ASSIGN_OR_RETURN(const sync::DeadLetter* open,
                       OpenDeadLetter(id, rows.dead_letters));
      *changed =
          !letter->has_value() || (*letter)->state.value != open->state.value;
      if (*changed)
        return absl::AbortedError("the letter changed while it was read");
      std::optional<sync::v1::Verdict> verdict;
      if (hearing != nullptr)
        verdict = hearing->apply((*letter)->state.value, context, rows);
      return FinishRetry(*open, verdict, context, rows.dead_letters)
          .SerializeAsString();
    };
    commands_.Do(std::move(intercepted), std::move(work));
  }

  const handlers::EncodedHearing<Rows>* Find(const std::string& kind) const {
    for (const auto& hearing : hearings_) {
      if (hearing.kind == kind) return &hearing;
    }
    return nullptr;
  }

  handlers::Commands<Rows>& commands_;
  handlers::QueryLanes& lanes_;
  const std::vector<handlers::EncodedHearing<Rows>> hearings_;
};

void AddReadDeadLetters(handlers::Queries& queries);

// `hearings`: how each kind of state that comes from the peer is heard.
template <typename Rows>
void AddDeadLetters(handlers::Commands<Rows>& commands,
                    handlers::Queries& queries,
                    std::vector<handlers::EncodedHearing<Rows>> hearings) {
  AddReadDeadLetters(queries);
  commands.Add("mtp.ops.v1.OperationsService/DropDeadLetter",
               TouchDropDeadLetter<Rows>, DecideDropDeadLetter<Rows>);
  const auto retries = std::make_shared<const DeadLetterRetries<Rows>>(
      commands, queries.lanes(), std::move(hearings));
  commands.router().Route("mtp.ops.v1.OperationsService/RetryDeadLetter",
                          [retries](std::unique_ptr<rpc::Call> call) {
                            retries->Handle(std::move(call));
                          });
}

}  // namespace mtp::operations
