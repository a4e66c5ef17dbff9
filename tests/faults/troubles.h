#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/faults/echo.h"
#include "tests/support/cluster.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// Faults at random, from one seed: processes killed, paused and asked to end,
// crash points, PostgreSQL crashed, a process of it killed or paused,
// connections used up, cut, slow, one-sided and dead, transactions held, states
// delivered twice and late, states that cannot be applied, more calls than the
// services can take. For the thread of the test.
class Troubles {
 public:
  // `crash_points`: by name; only services with test points have them.
  Troubles(Stack& stack, Cluster& cluster, uint32_t seed, size_t replicas,
           std::vector<std::string> crash_points);
  ~Troubles();
  Troubles(const Troubles&) = delete;
  Troubles& operator=(const Troubles&) = delete;

  // Begins and ends them for so long. What died is started again after a
  // while, as Kubernetes does.
  void Run(absl::Duration length);
  // Ends all that is left.
  void Calm();
  // Starts what is not running, after a moment.
  void StartDead();

  // What was done, a line each with the milliseconds since the beginning.
  const std::string& story() const { return story_; }
  // Whether any process was given a clock that is ahead.
  bool clock_ahead() const { return clock_ahead_; }
  // What was told of the states of both sides while it lasted.
  const std::vector<Echo>& echoes() const { return echoes_; }
  // How the calls beyond what can be taken were answered, for each crowd; after
  // Calm.
  struct CrowdAnswers {
    std::string method;
    std::map<absl::StatusCode, int64_t> count;
  };
  const std::vector<CrowdAnswers>& crowd_answers() const {
    return crowd_answers_;
  }
  // What did not go as the test wants it, so that it says nothing of services.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  struct Kind {
    const char* name;
    int weight;
    void (Troubles::*begin)();
  };
  static const std::vector<Kind>& Kinds();

  int64_t Between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  Side AnySide() { return Between(0, 1) == 0 ? SIDE_ORDER : SIDE_PROCESSING; }
  size_t AnyReplica() {
    return static_cast<size_t>(Between(0, static_cast<int64_t>(replicas_) - 1));
  }
  // One of the lines, by name.
  Line& AnyLine();

  void Note(const std::string& text);
  void Fail(std::string what);
  // Ends what was begun after so many milliseconds, or with Calm.
  void Lift(int64_t least, int64_t most, std::function<void()> lift);
  void LiftDue(absl::Time now);

  void Kill();
  void Pause();
  void AskToEnd();
  const std::string& AnyPoint();
  void CrashAtPoint();
  void PauseAtPoint();
  void SetClock();
  // Kills one, to be started again with this in its environment.
  void KillFor(std::vector<std::string> environment);
  void CrashPostgres();
  void KillBackend();
  void PauseBackend();
  void UseUpConnections();
  void LetConnect(int64_t least, int64_t most);
  void CutBackends();
  void Delay();
  void Trickle();
  void Cut();
  void CutBeforeReply();
  void LoseWordOfCommit();
  void CutAfterRequest();
  void LoseOneWay();
  void HalfOpen();
  void Partition();
  void ForgetConnections();
  void HoldTransaction();
  void HoldRows();
  void RecordEcho();
  void DeliverEcho();
  void RefuseStates();
  void TakeStates(Side side, int64_t least, int64_t most);
  void GrowTable();
  void Overload();
  void Crowd(Role role, std::string_view method, std::string request);
  void Compare();

  struct Lifting {
    absl::Time at;
    std::function<void()> lift;
  };

  Stack& stack_;
  Cluster& cluster_;
  std::mt19937 random_;
  const size_t replicas_;
  const std::vector<std::string> crash_points_;
  const absl::Time begun_ = absl::Now();
  std::vector<Lifting> liftings_;
  // When a process that is not running is started again, and with what.
  std::map<std::pair<Side, size_t>, absl::Time> starts_;
  std::map<std::pair<Side, size_t>, std::vector<std::string>> environments_;
  bool clock_ahead_ = false;
  // Added by GrowTable.
  int columns_ = 0;
  std::vector<Echo> echoes_;
  std::vector<std::thread> crowds_;
  std::mutex crowd_mutex_;
  std::vector<CrowdAnswers> crowd_answers_;
  std::vector<std::string> failures_;
  std::string story_;
};

}  // namespace mtp::tests
