#include "common/base/poller.h"

#include <utility>

namespace mtp {

Poller::Poller(Options options)
    : options_(std::move(options)), thread_([this] { Poll(); }) {}

Poller::~Poller() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
}

void Poller::Poll() {
  bool failing = false;
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, absl::ToChronoNanoseconds(options_.poll),
                                 [this] { return stopping_; })) {
    lock.unlock();
    const absl::Status status = options_.look();
    // Once per outage is enough.
    if (!std::exchange(failing, !status.ok()) && !status.ok() &&
        options_.log_failure) {
      options_.log_failure(status);
    }
    lock.lock();
  }
}

}  // namespace mtp
