#include "common/reconciliation/reconcile_calls.h"

#include <algorithm>
#include <vector>

#include "common/base/status.h"
#include "common/reconciliation/drift_rows.h"
#include "common/sync/outbox.h"

namespace mtp::reconciliation {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(50);
// Time to answer before the client's own deadline.
constexpr absl::Duration kAnswerMargin = absl::Milliseconds(300);
constexpr absl::Duration kLongestWait = absl::Minutes(5);
constexpr int64_t kDriftTold = 100;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

const db::Statement kDrift = db::Compose({"SELECT ", kDriftColumns, R"(
  FROM sync.drift WHERE run_id = $1::uuid ORDER BY drift_id LIMIT $2::bigint
)"});

}  // namespace

ReconcileCalls::ReconcileCalls(Options options)
    : options_(std::move(options)), session_(options_.database) {
  thread_ = std::thread([this] { Work(); });
}

ReconcileCalls::~ReconcileCalls() { Stop(); }

void ReconcileCalls::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ReconcileCalls::Await(std::unique_ptr<rpc::Call> call,
                           absl::StatusOr<std::string> made) {
  if (!made.ok()) return call->Fail(made.status());
  ops::v1::ReconcileResponse response;
  if (!response.ParseFromString(*made))
    return call->Fail(absl::InternalError("the run's own reply is damaged"));
  const absl::Time give_up =
      std::min(absl::Now() + kLongestWait, call->deadline - kAnswerMargin);
  options_.notify();
  {
    std::lock_guard lock(mutex_);
    if (!stopping_) {
      waiting_.push_back({std::move(call), response.run().run_id(), give_up});
    }
  }
  if (call != nullptr) return call->Fail(errors::Draining());
  changed_.notify_all();
}

void ReconcileCalls::Work() {
  while (true) {
    std::deque<Waiting> looked_at;
    bool stopping = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      stopping = stopping_;
      looked_at.swap(waiting_);
    }
    std::deque<Waiting> still;
    for (Waiting& waiting : looked_at) {
      if (waiting.call->Cancelled()) {
        waiting.call->Fail(absl::CancelledError("the client went away"));
        continue;
      }
      absl::StatusOr<ops::v1::ReconcileResponse> report =
          Report(waiting.run_id);
      if (report.ok()) {
        if (!report->finished() && !stopping && absl::Now() < waiting.give_up) {
          still.push_back(std::move(waiting));
        } else {
          waiting.call->Reply(report->SerializeAsString());
        }
      } else if (db::ConnectionLost(report.status()) && !stopping &&
                 absl::Now() < waiting.give_up) {
        still.push_back(std::move(waiting));
      } else {
        if (options_.log_failure) options_.log_failure(report.status());
        waiting.call->Fail(errors::Unavailable(
            "DATABASE_UNAVAILABLE",
            "the database cannot be reached; the comparison goes on",
            kRetryDelay));
      }
    }
    if (still.empty()) continue;
    std::unique_lock lock(mutex_);
    std::move(still.begin(), still.end(), std::back_inserter(waiting_));
    changed_.wait_for(lock, absl::ToChronoNanoseconds(kLook),
                      [this] { return stopping_; });
  }
}

absl::StatusOr<ops::v1::ReconcileResponse> ReconcileCalls::Report(
    const std::string& run_id) {
  ASSIGN_OR_RETURN(db::Connection * connection, session_.Get());
  const Uuid id = Uuid::Parse(run_id).value_or(Uuid());
  db::Exchange exchange;
  exchange.Add(kRunById, db::Params().Add(id));
  exchange.Add(kDrift, db::Params().Add(id).Add(kDriftTold));
  const absl::StatusOr<db::Results> snapshot =
      connection->Run(exchange.InSnapshot());
  if (!snapshot.ok()) {
    // It stands in the middle of a transaction that failed.
    session_.Drop();
    return snapshot.status();
  }
  const db::Results& results = *snapshot;
  ops::v1::ReconcileResponse response;
  response.mutable_run()->set_run_id(run_id);
  if (results[1].empty()) {
    // The house was kept meanwhile: it was long ago.
    response.set_finished(true);
    return response;
  }
  *response.mutable_run() = ReadRun(results[1][0]);
  response.set_finished(response.run().has_finished_at());
  std::vector<std::string> tokens;
  for (const db::Row row : results[2]) {
    ops::v1::Drift& found = *response.add_drift();
    found = ReadDrift(row);
    if (found.repaired_version() > 0) {
      tokens.push_back(sync::SyncToken(db::EnumText(found.kind()), found.key(),
                                       found.repaired_version()));
    }
  }
  response.set_sync_token(sync::JoinSyncTokens(tokens));
  return response;
}

}  // namespace mtp::reconciliation
