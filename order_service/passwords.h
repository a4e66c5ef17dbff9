#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mtp::order {

// What hashing a password costs, whoever does it.
struct PasswordCost {
  int64_t memory_mib = 64;
  int64_t passes = 3;
};

// Passwords as they are kept: Argon2id in its usual text form. Each function
// takes a good part of a second and the cost's memory. Thread-safe.
class PasswordHasher {
 public:
  explicit PasswordHasher(PasswordCost cost);
  // Whether there was memory enough for a first one.
  bool CanHash() const { return !nobodys_.empty(); }

  // RESOURCE_EXHAUSTED when there is not so much memory.
  absl::StatusOr<std::string> Hash(const std::string& password) const;
  // Whether the hash is of this password. Against an empty hash the answer is
  // no, and takes as long. RESOURCE_EXHAUSTED as with Hash: that is no answer.
  absl::StatusOr<bool> Matches(const std::string& password,
                               const std::string& hash) const;
  // Whether the hash cost less than one that is made now.
  bool IsCheap(std::string_view hash) const;
  // 32 bytes that only whoever has the password can tell, and that are the same
  // each time for one `context`.
  absl::StatusOr<std::string> Derive(const std::string& password,
                                     std::string_view context) const;

 private:
  const PasswordCost cost_;
  // Of a password that nobody has.
  std::string nobodys_;
};

// The threads that hash passwords: a few, so that neither their memory nor the
// time they take grows with the number of those who knock.
class PasswordPool {
 public:
  PasswordPool(int threads, size_t waiting_limit);
  ~PasswordPool();
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;

  // False when too many wait; `task` is then not run.
  bool Run(std::function<void()> task);
  // Finishes what waits and takes nothing more.
  void Drain();

 private:
  void Work();

  const size_t waiting_limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

// Why a new password is too easy to guess; empty when it is not. A modest rule,
// not a dictionary: it refuses what repeats itself, runs along the alphabet or
// the keyboard, contains the username, or is little more than a word that
// everybody tries first.
std::string WeaknessOf(std::string_view password, std::string_view username);

// Overwrites it before it is let go.
void Wipe(std::string& secret);

}  // namespace mtp::order
