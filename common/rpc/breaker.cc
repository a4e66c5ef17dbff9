#include "common/rpc/breaker.h"

#include <algorithm>
#include <utility>

#include "common/base/test_points.h"
#include "common/rpc/status.h"

namespace mtp::rpc {

Breaker::Breaker(Settings settings, Clock clock, Uniform uniform)
    : settings_(settings),
      clock_(std::move(clock)),
      backoff_(settings.wait, std::move(uniform)),
      changed_at_(clock_()) {}

void Breaker::MoveTo(State state, absl::Time now) {
  state_ = state;
  changed_at_ = now;
  ++period_;
}

void Breaker::Open(absl::Time now) {
  MoveTo(State::kOpen, now);
  retry_at_ = now + backoff_.Next();
  ++times_opened_;
}

void Breaker::Tell(std::optional<State> changed) {
  if (changed.has_value() && listener_) listener_(*changed);
}

std::optional<Breaker::Permit> Breaker::Admit() {
  std::optional<State> changed;
  std::optional<Permit> permit;
  {
    std::lock_guard lock(mutex_);
    const absl::Time now = clock_();
    if (state_ == State::kClosed) return Permit(period_);
    if (state_ == State::kOpen && now >= retry_at_ &&
        !Planted("breaker-never-closes")) {
      MoveTo(State::kHalfOpen, now);
      probe_lost_at_ = now + settings_.probe_limit;
      changed = State::kHalfOpen;
      permit = Permit(period_);
    } else if (state_ == State::kHalfOpen && now >= probe_lost_at_) {
      ++period_;
      probe_lost_at_ = now + settings_.probe_limit;
      permit = Permit(period_);
    }
  }
  Tell(changed);
  return permit;
}

void Breaker::Record(Permit permit, const absl::Status& outcome) {
  std::optional<State> changed;
  {
    std::lock_guard lock(mutex_);
    if (permit.period_ != period_) return;
    const absl::Time now = clock_();
    if (outcome.code() == absl::StatusCode::kCancelled) {
      // A probe that was called off: the next caller may probe at once.
      if (state_ == State::kHalfOpen) probe_lost_at_ = now;
      return;
    }
    if (!IsTransportFailure(outcome)) {
      failures_ = 0;
      if (state_ == State::kHalfOpen) {
        backoff_.Reset();
        MoveTo(State::kClosed, now);
        changed = State::kClosed;
      }
    } else {
      ++failures_;
      last_error_ =
          outcome.ToString(absl::StatusToStringMode::kWithNoExtraData);
      last_failed_at_ = now;
      if (state_ == State::kHalfOpen ||
          failures_ >= settings_.failures_to_open) {
        Open(now);
        changed = State::kOpen;
      }
    }
  }
  Tell(changed);
}

void Breaker::Reset() {
  std::optional<State> changed;
  {
    std::lock_guard lock(mutex_);
    failures_ = 0;
    backoff_.Reset();
    if (state_ != State::kClosed) {
      MoveTo(State::kClosed, clock_());
      changed = State::kClosed;
    }
  }
  Tell(changed);
}

Breaker::Snapshot Breaker::Look() const {
  std::lock_guard lock(mutex_);
  return {.state = state_,
          .consecutive_failures = failures_,
          .times_opened = times_opened_,
          .retry_at = retry_at_,
          .changed_at = changed_at_,
          .last_error = last_error_,
          .last_failed_at = last_failed_at_};
}

absl::Duration Breaker::RetryAfter() const {
  constexpr absl::Duration kProbing = absl::Milliseconds(100);
  std::lock_guard lock(mutex_);
  if (state_ == State::kClosed) return absl::ZeroDuration();
  return std::max(kProbing, retry_at_ - clock_());
}

}  // namespace mtp::rpc
