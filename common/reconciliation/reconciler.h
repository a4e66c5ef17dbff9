#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"
#include "common/reconciliation/comparison.h"
#include "common/reconciliation/facts.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::reconciliation {

// Takes back what a restore lost. Ends early, CANCELLED, once `stop` says so.
using Recover = std::function<absl::Status(db::Connection&,
                                           const std::function<bool()>& stop)>;

// Compares the facts that this side owns with the peer's copies, and has what
// differs told again under a raised version: so the owner's word comes to
// stand whatever was altered, and where. All of them when somebody asks
// (sync.reconcile_run), and a slice of them now and then all the time.
//
// A fact differs when its owner's version, unmarked (the peer has confirmed
// it), is the same before and after the copy was looked at, and the copy is
// not it. What is on its way is none, and a run that finds nothing writes
// nothing but its own record.
//
// One run at a time, however many processes there are: who runs holds a lock
// in the database, which goes with its connection. What a process that died
// had begun, another one begins anew.
class Reconciler {
 public:
  struct Options {
    db::Connection::Options database;
    PeerAccess peer;
    // Own facts and copies; those of its own are compared. Outlive it.
    const std::vector<Facts>* facts = nullptr;
    // There are new marks.
    std::function<void()> marked;
    // From one slice to the next; zero: only when asked.
    absl::Duration interval = absl::Seconds(60);
    int64_t slices = 16;
    // Runs that another process was asked for are found so soon.
    absl::Duration poll_interval = absl::Seconds(1);
    // What a restore asks for is compared until that has succeeded, so long
    // after it failed.
    absl::Duration retry_interval = absl::Seconds(10);
    // How long a run waits until the peer has confirmed its repairs.
    absl::Duration repair_limit = absl::Seconds(10);
    struct Observer {
      std::function<void(int64_t facts)> compared;
      std::function<void(std::string_view kind, std::string_view key,
                         ops::v1::DriftCause cause)>
          drifted;
      std::function<void(const absl::Status&)> failed;
    } observer;
    // What is to be done first while sync.epoch says so.
    Recover recover;
  };

  explicit Reconciler(Options options);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  // A run was asked for: look now. Any thread, does not block.
  void Notify();
  void Stop();

 private:
  struct Run;
  struct Difference;
  // Buckets, the last one included.
  struct Slice {
    int64_t first = 0;
    int64_t last = 0;
  };

  void Work();
  absl::Status LookOnce();
  // What is to be done, as the database says.
  struct Tasks {
    bool recovering = false;
    db::Result open;  // the oldest run that is not finished, if there is one
    bool due = false;
    bool none() const { return !recovering && open.empty() && !due; }
  };
  absl::StatusOr<Tasks> LookForTasks();
  absl::Status Execute(Run& run);
  absl::Status CompareAll(Run& run, const Slice& slice);
  absl::Status CompareKind(Run& run, const Facts& facts, const Slice& slice);
  absl::Status CompareBuckets(Run& run, const Facts& facts,
                              std::span<const int64_t> buckets);
  // Those of the differences that still are, with nothing on its way.
  absl::Status Confirm(const Facts& facts, std::vector<Difference>& found);
  // Those of which there is something new to say.
  absl::Status LeaveOutKnown(Run& run, const Facts& facts,
                             std::vector<Difference>& found);
  absl::Status Keep(Run& run, const Facts& facts,
                    std::vector<Difference>& found);
  // The same for some of them, in one transaction.
  absl::Status KeepSome(Run& run, const Facts& facts,
                        std::span<Difference> part);
  absl::Status WaitForRepairs(Run& run);
  absl::Status Settle();
  // What differed and could not be repaired, and does not differ any more.
  absl::Status SettleGone(const Run& run);
  bool Stopping();

  const Options options_;
  std::unique_ptr<db::Connection> connection_;
  int64_t next_slice_ = 0;
  absl::Time next_look_ = absl::InfinitePast();
  absl::Time next_retry_ = absl::InfinitePast();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = true;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mtp::reconciliation
