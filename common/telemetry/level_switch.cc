#include "common/telemetry/level_switch.h"

#include <utility>

namespace mtp::telemetry {

LevelSwitch::LevelSwitch(Log& log, Clock clock)
    : log_(log), clock_(std::move(clock)), for_good_(log.level()) {
  thread_ = std::thread([this] { Work(); });
}

LevelSwitch::~LevelSwitch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LevelSwitch::Set(Level level, std::optional<absl::Duration> keep_for) {
  {
    std::lock_guard lock(mutex_);
    const absl::Time now = clock_();
    EndLoans(now);
    if (keep_for.has_value()) {
      const absl::Time until = now + *keep_for;
      // What ends before this one returns no more.
      while (!loans_.empty() && loans_.back().until <= until) loans_.pop_back();
      loans_.push_back({level, until});
    } else {
      loans_.clear();
      for_good_ = level;
    }
    log_.SetLevel(level);
  }
  changed_.notify_all();
}

void LevelSwitch::EndLoans(absl::Time now) {
  bool ended = false;
  while (!loans_.empty() && loans_.back().until <= now) {
    loans_.pop_back();
    ended = true;
  }
  if (!ended) return;
  const Level level = loans_.empty() ? for_good_ : loans_.back().level;
  log_.SetLevel(level);
  log_.Info("the log level is what it was before",
            {{"log_level", LevelName(level)}});
}

void LevelSwitch::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const absl::Time now = clock_();
    EndLoans(now);
    if (loans_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock,
                        absl::ToChronoNanoseconds(loans_.back().until - now));
    }
  }
}

}  // namespace mtp::telemetry
