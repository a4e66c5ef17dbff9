#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace mtp {

// Looks at something again and again, on a thread of its own, until it is
// destroyed.
class Poller {
 public:
  struct Options {
    // From the end of a look to the next one; the first comes after it, too.
    absl::Duration poll;
    std::function<absl::Status()> look;
    // Told once per outage, the first failure; may be empty.
    std::function<void(const absl::Status&)> log_failure;
  };

  explicit Poller(Options options);
  // Waits for a look that is under way.
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

 private:
  void Poll();

  const Options options_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mtp
