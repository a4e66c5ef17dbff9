#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/handlers/commands.h"
#include "common/handlers/intercepted_call.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::reconciliation {

// The rule of StartEpoch: an epoch is raised once for one restore.
template <typename Rows>
absl::StatusOr<ops::v1::StartEpochResponse> DecideStartEpoch(
    const ops::v1::StartEpochRequest& request, handlers::Context& context,
    Rows& rows) {
  const int64_t epoch = rows.link.own_epoch();
  if (request.current_epoch() != epoch) {
    return errors::FailedPrecondition(
        "EPOCH_DIFFERS",
        absl::StrCat("the epoch is ", epoch, " and not ",
                     request.current_epoch(),
                     ": look with GetSyncStatus whether it was raised already"),
        {{"epoch", absl::StrCat(epoch)}});
  }
  rows.link.StartEpoch();
  context.Audit("epoch", absl::StrCat(rows.link.own_epoch()), "started",
                {{"old_epoch", epoch}});
  ops::v1::StartEpochResponse response;
  response.set_epoch(rows.link.own_epoch());
  return response;
}

// Routes StartEpoch. What it sets going is a Recovery's work; `notify` tells
// the Reconciler that carries it out.
template <typename Rows>
void AddStartEpoch(handlers::Commands<Rows>& commands,
                   std::function<bool()> peer_reachable,
                   std::function<void()> notify) {
  commands.router().Route(
      "mtp.ops.v1.OperationsService/StartEpoch",
      [&commands, peer_reachable = std::move(peer_reachable),
       notify = std::move(notify)](std::unique_ptr<rpc::Call> call) {
        if (!peer_reachable()) {
          return call->Fail(errors::Unavailable(
              "PEER_UNAVAILABLE",
              "the other side is out of reach; the epoch was not raised",
              absl::Seconds(1)));
        }
        auto request = std::make_shared<ops::v1::StartEpochRequest>(
            static_cast<const ops::v1::StartEpochRequest&>(*call->message));
        auto intercepted = std::make_unique<handlers::InterceptedCall>(
            std::move(call), [notify](std::unique_ptr<rpc::Call> inner,
                                      absl::StatusOr<std::string> answer) {
              if (!answer.ok()) return inner->Fail(answer.status());
              inner->Reply(*std::move(answer));
              notify();
            });
        commands.Do(
            std::move(intercepted),
            {.touch = [](Rows& rows) { rows.link.Want(); },
             .decide = [request](handlers::Context& context,
                                 Rows& rows) -> absl::StatusOr<std::string> {
               absl::StatusOr<ops::v1::StartEpochResponse> response =
                   DecideStartEpoch(*request, context, rows);
               if (!response.ok()) return response.status();
               return response->SerializeAsString();
             }});
      });
}

}  // namespace mtp::reconciliation
