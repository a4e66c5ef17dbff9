// The main function of every test program.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/failures.h"

namespace {

constexpr size_t kLongestMessage = 1'500;  // bytes

// Says at the end once more what failed, and in the file MTP_FAILURES, if set:
// a long run's log is kept by its tail.
struct FailuresLast : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;

  bool assertionEnded(const Catch::AssertionStats& stats) override {
    const Catch::AssertionResult& result = stats.assertionResult;
    if (result.isOk()) return true;
    Catch::ReusableStringStream text;
    text << "FAILED: " << currentTestCaseInfo->name << "\n  "
         << result.getSourceInfo() << ": " << result.getExpandedExpression()
         << result.getMessage();
    for (const Catch::MessageInfo& message : stats.infoMessages)
      text << "\n  " << message.message;
    failures_.push_back(text.str().substr(0, kLongestMessage));
    return true;
  }

  void testRunEnded(const Catch::TestRunStats& stats) override {
    const char* file = std::getenv("MTP_FAILURES");
    std::ofstream kept;
    if (file != nullptr) kept.open(file, std::ios::app);
    for (const std::string& failure : failures_) {
      Catch::cerr() << failure << "\n";
      kept << failure << "\n";
    }
    TestEventListenerBase::testRunEnded(stats);
  }

  std::vector<std::string> failures_;
};

CATCH_REGISTER_LISTENER(FailuresLast)

}  // namespace

int main(int argc, char** argv) {
  // Between calls nobody looks after a client's connection but gRPC's backup
  // poller. At its 5 s a test would wait that long to see that a service it
  // killed is back.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 1);
  // What it says of connections that break is what the tests are about.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  return Catch::Session().run(argc, argv) +
         mtp::tests::tests_that_broke_invariants;
}
