#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/base/errors.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"
#include "common/handlers/commands.h"
#include "common/handlers/intercepted_call.h"
#include "common/handlers/session.h"
#include "common/reconciliation/run_rows.h"
#include "common/sync/kinds.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::reconciliation {

// Answers Reconcile: a command makes the run, a Reconciler, here or in another
// process, carries it out, and the call waits for that as long as its deadline
// lets it. A repeated request_id gets the report of the same run.
class ReconcileCalls {
 public:
  struct Options {
    db::Connection::Options database;
    std::function<bool()> peer_reachable;
    // A run was made.
    std::function<void()> notify;
    std::function<void(const absl::Status&)> log_failure;
  };

  explicit ReconcileCalls(Options options);
  ~ReconcileCalls();
  ReconcileCalls(const ReconcileCalls&) = delete;
  ReconcileCalls& operator=(const ReconcileCalls&) = delete;

  // Routes the method; `commands` may not call it once this is gone.
  template <typename Rows>
  void Add(handlers::Commands<Rows>& commands);

  // Answers those that wait with what is known; later ones at once.
  void Stop();

 private:
  struct Waiting {
    std::unique_ptr<rpc::Call> call;
    std::string run_id;
    absl::Time give_up;
  };

  void Await(std::unique_ptr<rpc::Call> call, absl::StatusOr<std::string> made);
  void Work();
  // The run as it stands now.
  absl::StatusOr<ops::v1::ReconcileResponse> Report(const std::string& run_id);

  const Options options_;
  handlers::Session session_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

// The rule: one run at a time.
template <typename Rows>
absl::StatusOr<ops::v1::ReconcileResponse> DecideReconcile(
    const ops::v1::ReconcileRequest& request, handlers::Context& context,
    Rows& rows) {
  for (const ReconcileRun* run : rows.reconcile_runs.All()) {
    return errors::FailedPrecondition("RECONCILE_RUNNING",
                                      "a comparison is under way",
                                      {{"run_id", run->run_id.ToString()}});
  }
  ReconcileRun run{.run_id = context.NewId(),
                   .report_only = request.report_only()};
  run.kinds =
      absl::StrJoin(request.kinds(), ",", [](std::string* out, int kind) {
        out->append(db::EnumText(static_cast<sync::v1::EntityKind>(kind)));
      });
  run.requested_by = context.caller().subject;
  run.requested_by_username = context.caller().username;
  run.requested_by_role = context.caller().role;
  run.correlation_id = context.correlation_id();
  run.started_at = context.now();
  rows.reconcile_runs.Insert(run);
  context.Audit("reconcile_run", run.run_id.ToString(), "started",
                {{"report_only", run.report_only}, {"kinds", run.kinds}});
  ops::v1::ReconcileResponse response;
  response.mutable_run()->set_run_id(run.run_id.ToString());
  return response;
}

template <typename Rows>
void ReconcileCalls::Add(handlers::Commands<Rows>& commands) {
  commands.router().Route(
      "mtp.ops.v1.OperationsService/Reconcile",
      [this, &commands](std::unique_ptr<rpc::Call> call) {
        if (!options_.peer_reachable()) {
          return call->Fail(errors::Unavailable(
              "PEER_UNAVAILABLE", "the other side is out of reach",
              absl::Seconds(1)));
        }
        const auto* request =
            static_cast<const ops::v1::ReconcileRequest*>(call->message.get());
        auto asked = std::make_shared<ops::v1::ReconcileRequest>(*request);
        auto intercepted = std::make_unique<handlers::InterceptedCall>(
            std::move(call), [this](std::unique_ptr<rpc::Call> inner,
                                    absl::StatusOr<std::string> made) {
              Await(std::move(inner), std::move(made));
            });
        commands.Do(
            std::move(intercepted),
            {.touch = [](Rows& rows) { rows.unfinished_runs.Want("any"); },
             .decide = [asked](handlers::Context& context,
                               Rows& rows) -> absl::StatusOr<std::string> {
               absl::StatusOr<ops::v1::ReconcileResponse> made =
                   DecideReconcile(*asked, context, rows);
               if (!made.ok()) return made.status();
               return made->SerializeAsString();
             }});
      });
}

}  // namespace mtp::reconciliation
