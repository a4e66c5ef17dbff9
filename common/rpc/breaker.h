#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/backoff.h"

namespace mtp::rpc {

// Keeps callers from waiting for a peer that is not there. Closed: calls go.
// After so many transport failures in a row it opens: calls are refused at
// once. After a wait one call may probe: if the peer answers, whatever it
// answers, the breaker closes; if not, it stays open and waits longer.
// Thread-safe; no I/O, no thread of its own.
class Breaker {
 public:
  enum class State { kClosed, kHalfOpen, kOpen };

  struct Settings {
    int failures_to_open = 5;
    // How long it stays open, longer with every failed probe. The cap bounds
    // how late a peer that came back is noticed.
    Backoff::Settings wait = {.first = absl::Milliseconds(250),
                              .cap = absl::Seconds(2)};
    // A probe whose outcome nobody told by then is taken for lost.
    absl::Duration probe_limit = absl::Seconds(30);
  };

  struct Snapshot {
    State state;
    int consecutive_failures;
    int64_t times_opened;
    // When the next probe may go, while open.
    absl::Time retry_at;
    absl::Time changed_at;
    // The last transport failure, however long ago.
    std::string last_error;
    std::optional<absl::Time> last_failed_at;
  };

  // The right to make one call; give it back with its outcome.
  class Permit {
   private:
    friend class Breaker;
    explicit Permit(uint64_t period) : period_(period) {}
    uint64_t period_;
  };

  Breaker(Settings settings, Clock clock, Uniform uniform);

  // Nothing when the call may not go now.
  std::optional<Permit> Admit();
  // What became of the call. An outcome from before the last change of state
  // says nothing about now and is ignored. A call cancelled on this side says
  // nothing either.
  void Record(Permit permit, const absl::Status& outcome);
  // Closes it, whatever it knows: an operator said so.
  void Reset();

  Snapshot Look() const;
  // What to tell a refused caller to wait.
  absl::Duration RetryAfter() const;

  // Called after every change of state, on the thread that caused it, without
  // locks. Set it before the first call.
  void OnChange(std::function<void(State)> listener) {
    listener_ = std::move(listener);
  }

 private:
  // The state after time has passed, under mutex_.
  void MoveTo(State state, absl::Time now);
  void Open(absl::Time now);
  void Tell(std::optional<State> changed);

  const Settings settings_;
  const Clock clock_;
  std::function<void(State)> listener_;

  mutable std::mutex mutex_;
  Backoff backoff_;
  State state_ = State::kClosed;
  // Counts changes of state and probes: outcomes of older periods are stale.
  uint64_t period_ = 0;
  int failures_ = 0;
  int64_t times_opened_ = 0;
  absl::Time retry_at_ = absl::InfinitePast();
  absl::Time probe_lost_at_ = absl::InfiniteFuture();
  absl::Time changed_at_;
  std::string last_error_;
  std::optional<absl::Time> last_failed_at_;
};

}  // namespace mtp::rpc
