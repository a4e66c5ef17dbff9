#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace mtp::handlers {

// A bounded first-in-first-out line that several lanes take batches from.
// Thread safe.
template <typename T>
class WaitingLine {
 public:
  explicit WaitingLine(size_t limit) : limit_(limit) {}

  // False when the line is full or closed; `item` is then untouched.
  bool Push(T& item) {
    {
      std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= limit_) return false;
      items_.push_back(std::move(item));
    }
    arrived_.notify_one();
    return true;
  }

  // Waits for items and takes, in order, up to `most` of those that `joins`
  // accepts; an item that does not join stays where it is. While another lane
  // works on what it took, waits up to `gather` for `most` of them to be there.
  // Empty once the line is closed and drained. A lane is done with what it took
  // when it comes again.
  std::vector<T> Take(size_t most, const std::function<bool(const T&)>& joins,
                      std::chrono::nanoseconds gather = {}) {
    std::unique_lock lock(mutex_);
    if (working_.erase(std::this_thread::get_id()) > 0) arrived_.notify_one();
    do {
      arrived_.wait(lock, [this] { return closed_ || !items_.empty(); });
      if (gather.count() > 0) {
        arrived_.wait_for(lock, gather, [&] {
          return closed_ || working_.empty() || items_.size() >= most;
        });
      }
    } while (!closed_ && items_.empty());
    working_.insert(std::this_thread::get_id());
    std::vector<T> taken;
    if (items_.size() <= most) taken.reserve(items_.size());
    std::deque<T> left;
    while (!items_.empty() && taken.size() < most) {
      T item = std::move(items_.front());
      items_.pop_front();
      if (joins(item)) {
        taken.push_back(std::move(item));
      } else {
        left.push_back(std::move(item));
      }
    }
    while (!left.empty()) {
      items_.push_front(std::move(left.back()));
      left.pop_back();
    }
    return taken;
  }

  // Wakes everybody; what waits is still taken.
  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> items_;
  std::set<std::thread::id> working_;
  bool closed_ = false;
};

}  // namespace mtp::handlers
