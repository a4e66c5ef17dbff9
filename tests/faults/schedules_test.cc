#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/test_points.h"
#include "tests/faults/judge.h"
#include "tests/faults/seeds.h"
#include "tests/faults/troubles.h"
#include "tests/faults/workload.h"

namespace mtp::tests {
namespace {

constexpr absl::Duration kTroubles = absl::Seconds(6);
// So little that a crowd is far more than what there is room for.
constexpr int kWaitingLimit = 64;

// How a crowd may be answered: as ever, or not now.
bool IsAnswerForCrowd(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    // The deadline as well, where the server's clock sees it first.
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

// So many answers of a side that serves, and it must have sent some away: there
// were always more than it has room for.
constexpr int64_t kManyAnswers = 1'000;

// Adds what is wrong with how crowds were answered; returns it in words.
std::string JudgeCrowds(const std::vector<Troubles::CrowdAnswers>& crowds,
                        std::vector<std::string>& findings) {
  int64_t calls = 0;
  int64_t all_sent_away = 0;
  for (const Troubles::CrowdAnswers& crowd : crowds) {
    int64_t served = 0;
    int64_t sent_away = 0;
    for (const auto& [code, count] : crowd.count) {
      calls += count;
      if (code == absl::StatusCode::kResourceExhausted) sent_away += count;
      if (code == absl::StatusCode::kOk || code == absl::StatusCode::kNotFound)
        served += count;
      if (IsAnswerForCrowd(code)) continue;
      findings.push_back(absl::StrCat(count, " of a crowd's calls of ",
                                      crowd.method, " ended with ",
                                      absl::StatusCodeToString(code)));
    }
    all_sent_away += sent_away;
    if (served > kManyAnswers && sent_away == 0) {
      findings.push_back(absl::StrCat("of a crowd's calls of ", crowd.method,
                                      " ", served,
                                      " were served, and none sent away"));
    }
  }
  if (calls == 0) return "";
  return absl::StrCat("; of crowds' ", calls, " calls ", all_sent_away,
                      " were sent away at once");
}

struct Trial {
  std::vector<std::string> findings;
  std::string troubles;
  std::string summary;
};

// Those that a schedule without a restore comes by.
std::vector<std::string> CrashPoints() {
  std::vector<std::string> points;
  for (const std::string_view point : kCrashPoints) {
    if (!point.starts_with("recover.")) points.emplace_back(point);
  }
  return points;
}

// Where those are that work beside the present ones; nowhere, if not said.
std::string OlderPrograms() {
  const char* folder = std::getenv("OLDER");
  return folder == nullptr ? "" : folder;
}

// Work from one seed, in troubles from the same, then calm, then the judge.
// What is shipped is tried with the even seeds, the crash points with the odd
// ones.
Trial Try(uint32_t seed) {
  // Where a bug is planted, all have them.
  const bool test_points =
      seed % 2 == 1 || std::getenv("MTP_PLANTED") != nullptr;
  const int replicas = seed % 4 < 3 ? 2 : 3;
  Stack stack({.cluster = &Cluster::Durable(),
               .flags = {"--poison-retry-seconds", "1", "--waiting-limit",
                         absl::StrCat(kWaitingLimit)},
               .replicas = replicas,
               .lines = true,
               .test_points = test_points,
               .older_programs = OlderPrograms()});
  Book book;
  Floor floor(stack, book);
  Judge judge(stack, static_cast<size_t>(replicas));
  Trial trial;
  std::vector<Echo> echoes;
  std::vector<Troubles::CrowdAnswers> crowds;
  std::vector<std::string> failures;
  {
    Troubles troubles(stack, Cluster::Durable(), seed,
                      static_cast<size_t>(replicas),
                      test_points ? CrashPoints() : std::vector<std::string>());
    Workload workload(stack, floor, book, seed);
    troubles.Run(kTroubles);
    troubles.Calm();
    judge.WaitUntilBack([&] { troubles.StartDead(); }, troubles.clock_ahead());
    workload.Stop();
    trial.troubles = troubles.story();
    echoes = troubles.echoes();
    crowds = troubles.crowd_answers();
    failures = troubles.failures();
  }
  judge.Settle(book);
  for (const bool cancel : {true, false}) {
    if (!CrossOnTheLine(stack, floor, book, cancel))
      failures.push_back("the test itself: no shipment left in ignorance");
  }
  judge.SettleMore(book, kRecovery);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    echoes.push_back(Echo::Of(stack, side));
  judge.Examine(book, echoes);
  trial.findings = judge.findings();
  trial.findings.insert(trial.findings.end(), failures.begin(), failures.end());
  const std::string crowds_told = JudgeCrowds(crowds, trial.findings);
  int done = 0;
  for (const Deed& deed : book.deeds()) {
    done += deed.outcome == Deed::Outcome::kDone ? 1 : 0;
  }
  const auto seconds = [](absl::Duration duration) {
    return absl::StrFormat("%.1f s", absl::ToDoubleSeconds(duration));
  };
  trial.summary = absl::StrCat(
      "schedule ", seed, ": ", book.deeds().size(), " calls, ", done,
      " done; after the troubles all processes were back in ",
      seconds(judge.back()), ", people had their answers in ",
      seconds(judge.answered()), ", both sides agreed in ",
      seconds(judge.recovery()), "; a service held ", judge.peak_memory() >> 20,
      " MiB", crowds_told);
  return trial;
}

TEST_CASE("whatever happens, both sides are in step again and nothing is lost",
          "[schedules]") {
  const uint32_t first = NumberFromEnvironment("SEED", 1);
  const uint32_t count = NumberFromEnvironment("SCHEDULES", 8);
  for (uint32_t seed = first; seed < first + count; ++seed) {
    const Trial trial = Try(seed);
    std::cout << trial.summary << std::endl;
    for (const std::string& finding : trial.findings) {
      std::cout << "judge: " << finding << std::endl;
    }
    INFO(absl::StrJoin(trial.findings, "\n")
         << "\nagain: make faults SEED=" << seed << " SCHEDULES=1\n"
         << trial.troubles);
    CHECK(trial.findings.empty());
  }
}

}  // namespace
}  // namespace mtp::tests
