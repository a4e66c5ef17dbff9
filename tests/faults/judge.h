#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/faults/book.h"
#include "tests/faults/echo.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// How long after the last trouble everything must be well again.
inline constexpr absl::Duration kRecovery = absl::Seconds(15);
// Under a clock that is ahead gRPC's timers end as much later: they wait until
// a time of the kernel's clock, which libfaketime leaves as it is.
inline constexpr absl::Duration kLateWaking = absl::Seconds(20);

// Looks on while things happen, and says at the end what must not be: effects
// that were acknowledged and are not there, are there twice or without a cause;
// weight that is not conserved; versions that went back; keys that are answered
// differently; sides that do not agree; services that are not back.
class Judge {
 public:
  // Watches from now on. `replicas` of each side.
  Judge(Stack& stack, size_t replicas);
  ~Judge();
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  // To be called when the troubles have ended: within kRecovery all processes
  // serve and reach their peer. `supervise` starts those that have ended. Where
  // a process has a clock that is ahead (`late`), everything may take
  // kLateWaking more.
  void WaitUntilBack(const std::function<void()>& supervise, bool late);
  // When the people have ended, too: within kRecovery both sides agree. Settles
  // what the book does not know by asking again.
  void Settle(Book& book);
  // The same for what was done since: settled, and within `limit` both agree.
  void SettleMore(Book& book, absl::Duration limit);
  // Compares what both sides hold with the book; then tries what comes late,
  // what is refused and what is altered by hand. `echoes`: of what was told.
  void Examine(const Book& book, const std::vector<Echo>& echoes);

  // What was found, a paragraph each; none: all is well.
  std::vector<std::string> findings() const;

  // From the end of the troubles until every process served and reached its
  // peer, until all people had their answers, and until both sides agreed.
  absl::Duration back() const { return back_; }
  absl::Duration answered() const { return answered_; }
  absl::Duration recovery() const { return recovery_; }
  int64_t peak_memory() const { return peak_memory_; }

 private:
  void Find(std::string finding);
  // Asks again for what the book does not know.
  void AskAgain(Book& book);
  bool Agree(absl::Duration limit);
  // Whether it passes a call on to its peer now.
  bool ReachesPeer(Side side, size_t replica) const;
  // The same within `limit`, while `supervise` starts what has ended: a process
  // may end at its crash point only in the calm.
  bool FindsPeer(Side side, size_t replica,
                 const std::function<void()>& supervise, absl::Duration limit);
  void Watch();
  void WatchVersions(Side side);
  void WatchMemory();

  void ExamineEffects(const std::vector<Deed>& deeds);
  void ExamineWeight();
  void ExamineTrail(const std::vector<Deed>& deeds);
  void ExamineReplays(const std::vector<Deed>& deeds);
  void ExamineExceptions();
  void ExamineOtherContent(const std::vector<Deed>& deeds);
  void ExamineDrift();
  void ExamineLateWords(const std::vector<Echo>& echoes);
  void ExamineRefusedWord();
  void ExamineRepair();
  // The differences that a comparison of everything finds.
  std::optional<int64_t> Compare(Side side);

  Stack& stack_;
  const size_t replicas_;
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> peak_memory_ = 0;
  absl::Time calm_since_ = absl::InfiniteFuture();
  absl::Duration limit_ = kRecovery;
  absl::Duration back_ = absl::InfiniteDuration();
  absl::Duration answered_ = absl::InfiniteDuration();
  absl::Duration recovery_ = absl::InfiniteDuration();
  std::map<Side, std::map<std::string, std::vector<int64_t>>> versions_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> findings_ ABSL_GUARDED_BY(mutex_);
  std::thread watcher_;
};

}  // namespace mtp::tests
