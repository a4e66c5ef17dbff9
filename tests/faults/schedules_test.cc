#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/test_points.h"
#include "tests/faults/judge.h"
#include "tests/faults/troubles.h"
#include "tests/faults/workload.h"

namespace mtp::tests {
namespace {

constexpr absl::Duration kTroubles = absl::Seconds(6);

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

// Work from one seed, in troubles from the same, then calm, then the judge.
// What is shipped is tried with the even seeds, the crash points with the odd
// ones.
Trial Try(uint32_t seed) {
  // Where a bug is planted, all have them.
  const bool test_points =
      seed % 2 == 1 || std::getenv("MTP_PLANTED") != nullptr;
  const int replicas = seed % 4 < 3 ? 2 : 3;
  Stack stack({.cluster = &Cluster::Durable(),
               .flags = {"--poison-retry-seconds", "1"},
               .replicas = replicas,
               .lines = true,
               .test_points = test_points});
  Book book;
  Floor floor(stack, book);
  Judge judge(stack, static_cast<size_t>(replicas));
  Trial trial;
  std::vector<Echo> echoes;
  {
    Troubles troubles(stack, Cluster::Durable(), seed,
                      static_cast<size_t>(replicas),
                      test_points ? CrashPoints() : std::vector<std::string>());
    Workload workload(stack, floor, book, seed);
    troubles.Run(kTroubles);
    troubles.Calm();
    judge.WaitUntilBack([&] { troubles.StartDead(); });
    workload.Stop();
    trial.troubles = troubles.story();
    echoes = troubles.echoes();
  }
  judge.Settle(book);
  judge.Examine(book, echoes);
  trial.findings = judge.findings();

  int done = 0;
  for (const Deed& deed : book.deeds()) {
    done += deed.outcome == Deed::Outcome::kDone ? 1 : 0;
  }
  trial.summary = absl::StrCat("schedule ", seed, ": ", book.deeds().size(),
                               " calls, ", done, " done; both sides agreed ",
                               absl::FormatDuration(judge.recovery()),
                               " after the troubles; a service held ",
                               judge.peak_memory() >> 20, " MiB");
  return trial;
}

uint32_t Number(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  uint32_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number
                                                            : otherwise;
}

TEST_CASE("whatever happens, both sides are in step again and nothing is lost",
          "[schedules]") {
  const uint32_t first = Number("SEED", 1);
  const uint32_t count = Number("SCHEDULES", 8);
  for (uint32_t seed = first; seed < first + count; ++seed) {
    const Trial trial = Try(seed);
    std::cout << trial.summary << std::endl;
    for (const std::string& finding : trial.findings) {
      std::cout << "judge: " << finding << std::endl;
    }
    INFO("again: make faults SEED=" << seed << " SCHEDULES=1\n"
                                    << trial.troubles);
    CHECK(trial.findings.empty());
  }
}

}  // namespace
}  // namespace mtp::tests
