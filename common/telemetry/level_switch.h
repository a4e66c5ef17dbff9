#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/telemetry/log.h"

namespace mtp::telemetry {

// Sets the level of a log, for good or for a while, after which the level
// before returns by itself. Thread-safe.
class LevelSwitch {
 public:
  // `log` outlives it.
  explicit LevelSwitch(Log& log, Clock clock = SystemClock());
  ~LevelSwitch();
  LevelSwitch(const LevelSwitch&) = delete;
  LevelSwitch& operator=(const LevelSwitch&) = delete;

  // Without `keep_for`: for good, whatever was set for a while before.
  void Set(Level level, std::optional<absl::Duration> keep_for);

 private:
  // Set for a while.
  struct Loan {
    Level level;
    absl::Time until;
  };
  void Work();
  // Ends what has had its time; under mutex_.
  void EndLoans(absl::Time now);

  Log& log_;
  const Clock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Level for_good_;
  // The latest at the end; none of them ends later than the one before it.
  std::vector<Loan> loans_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mtp::telemetry
