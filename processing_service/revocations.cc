#include "processing_service/revocations.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/cause.h"
#include "common/handlers/intercepted_call.h"
#include "common/sync/outbox.h"

namespace mtp::processing {
namespace {

using handlers::Invalid;
using sync::v1::RevocationState;
using sync::v1::Verdict;

std::optional<Verdict> Judge(const RevocationState& state) {
  const auto subject = Uuid::Parse(state.subject());
  if (!subject.has_value() || subject->IsNil()) {
    return Invalid("subject is no UUID");
  }
  if (state.stamp().epoch() < 1 || state.stamp().version() < 1) {
    return Invalid("stamp.epoch and stamp.version must be at least 1");
  }
  if (!state.has_refuse_issued_before()) {
    return Invalid("refuse_issued_before is missing");
  }
  const int64_t seconds = state.refuse_issued_before().seconds();
  const int32_t nanos = state.refuse_issued_before().nanos();
  constexpr int64_t kYear9999 = 253'402'300'799;
  if (seconds < 0 || seconds > kYear9999 || nanos < 0 || nanos > 999'999'999) {
    return Invalid("refuse_issued_before is no time");
  }
  return std::nullopt;
}

Verdict Apply(const RevocationState& state, Context& context, Rows& rows) {
  if (auto verdict = Judge(state); verdict.has_value()) return *verdict;
  const Uuid subject = *Uuid::Parse(state.subject());
  const RevokedUser* found = rows.revoked_users.Find(subject);
  if (found != nullptr && !rows.link.IsNewer(state.stamp(), found->order_epoch,
                                             found->order_version)) {
    return sync::Stale();
  }
  const handlers::Cause cause(state.stamp(), context);
  RevokedUser& user = found == nullptr
                          ? rows.revoked_users.Insert({.subject = subject})
                          : rows.revoked_users.Edit(*found);
  user.disabled = state.disabled();
  user.revoked_before = FromProto(state.refuse_issued_before());
  user.order_epoch = state.stamp().epoch();
  user.order_version = state.stamp().version();
  user.order_changed_at.reset();
  if (state.stamp().has_changed_at()) {
    user.order_changed_at = FromProto(state.stamp().changed_at());
  }
  user.heard_at = context.now();
  context.Audit("user", subject.ToString(), "heard",
                {{"order_epoch", user.order_epoch},
                 {"order_version", user.order_version},
                 {"disabled", user.disabled}});
  return sync::Applied();
}

void Touch(const RevocationState& state, Rows& rows) {
  if (const auto subject = Uuid::Parse(state.subject())) {
    rows.revoked_users.Want(*subject);
  }
}

rpc::Revocations::Revocation Remembered(const RevokedUser& user) {
  return {.subject = user.subject.ToString(),
          .disabled = user.disabled,
          .before = user.revoked_before,
          .epoch = user.order_epoch,
          .version = user.order_version};
}

}  // namespace

const db::Statement kRevocationsHeard{R"(
  SELECT subject, disabled, revoked_before, order_epoch, order_version, heard_at
  FROM revoked_user
  WHERE $1::timestamptz IS NULL OR heard_at >= $1::timestamptz
)"};

handlers::Hearing<Rows, RevocationState> RevocationHearing() {
  return {.kind = sync::kRevocation,
          .key = [](const RevocationState& state) { return state.subject(); },
          .touch = Touch,
          .apply = Apply,
          .kept =
              [](const RevocationState& state, const Rows& rows) {
                const auto subject = Uuid::Parse(state.subject());
                const RevokedUser* copy =
                    subject.has_value() ? rows.revoked_users.Find(*subject)
                                        : nullptr;
                return copy == nullptr
                           ? std::nullopt
                           : std::optional(sync::KeptStamp{
                                 copy->order_epoch, copy->order_version,
                                 copy->order_changed_at});
              }};
}

absl::StatusOr<sync::v1::ApplyRevocationsResponse> DecideApplyRevocations(
    const sync::v1::ApplyRevocationsRequest& request, Context& context,
    Rows& rows) {
  return handlers::HearStates<sync::v1::ApplyRevocationsResponse>(
      RevocationHearing(), request, context, rows);
}

void AddRevocations(Commands& commands, rpc::Revocations& revocations) {
  using Request = sync::v1::ApplyRevocationsRequest;
  using Heard = std::vector<rpc::Revocations::Revocation>;
  const auto handle = [&commands,
                       &revocations](std::unique_ptr<rpc::Call> call) {
    const auto request = std::make_shared<const Request>(
        static_cast<const Request&>(*call->message));
    const auto heard = std::make_shared<Heard>();
    auto intercepted = std::make_unique<handlers::InterceptedCall>(
        std::move(call),
        [heard, &revocations](std::unique_ptr<rpc::Call> inner,
                              absl::StatusOr<std::string> answer) {
          if (!answer.ok()) return inner->Fail(answer.status());
          for (const auto& revocation : *heard) revocations.Put(revocation);
          inner->Reply(*std::move(answer));
        });
    commands.Do(
        std::move(intercepted),
        {.touch =
             [request](Rows& rows) {
               handlers::TouchStates(RevocationHearing(), *request, rows);
             },
         .decide = [request, heard](Context& context,
                                    Rows& rows) -> absl::StatusOr<std::string> {
           ASSIGN_OR_RETURN(const sync::v1::ApplyRevocationsResponse response,
                            DecideApplyRevocations(*request, context, rows));
           heard->clear();
           for (const RevokedUser* user : rows.revoked_users.All()) {
             heard->push_back(Remembered(*user));
           }
           return response.SerializeAsString();
         },
         .answers_broken_rule = true});
  };
  commands.router().Route("mtp.sync.v1.ProcessingSyncService/ApplyRevocations",
                          handle);
}

}  // namespace mtp::processing
