#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/faults/judge.h"
#include "tests/faults/troubles.h"
#include "tests/faults/workload.h"

namespace mtp::tests {
namespace {

constexpr size_t kReplicas = 2;
constexpr absl::Duration kTroubles = absl::Seconds(6);

struct Trial {
  std::vector<std::string> findings;
  std::string troubles;
  std::string summary;
};

// A day of work from one seed, in all the troubles from the same, then calm,
// then the judge.
Trial Try(uint32_t seed) {
  Stack stack({.cluster = &Cluster::Durable(),
               .flags = {"--poison-retry-seconds", "1"},
               .replicas = kReplicas,
               .lines = true});
  Book book;
  Floor floor(stack, book);
  Judge judge(stack, kReplicas);
  Trial trial;
  {
    Troubles troubles(stack, Cluster::Durable(), seed, kReplicas, {});
    Workload workload(stack, floor, book, seed);
    troubles.Run(kTroubles);
    troubles.Calm();
    judge.WaitUntilBack([&] { troubles.StartDead(); });
    workload.Stop();
    trial.troubles = troubles.story();
  }
  judge.Settle(book);
  judge.Examine(book);
  trial.findings = judge.findings();

  std::map<std::string, std::map<Deed::Outcome, int>> calls;
  int done = 0;
  for (const Deed& deed : book.deeds()) {
    ++calls[deed.Name()][deed.outcome];
    done += deed.outcome == Deed::Outcome::kDone ? 1 : 0;
  }
  trial.summary = absl::StrCat("seed ", seed, ": ", book.deeds().size(),
                               " calls, ", done, " done; agreed after ",
                               absl::FormatDuration(judge.recovery()), "; ",
                               judge.peak_memory() >> 20, " MiB");
  if (std::getenv("MTP_TELL") != nullptr) {
    for (auto& [name, outcomes] : calls) {
      std::cerr << "  " << name << ": " << outcomes[Deed::Outcome::kDone]
                << " done, " << outcomes[Deed::Outcome::kRefused]
                << " refused\n";
    }
    std::map<std::string, int> refusals;
    for (const Deed& deed : book.deeds()) {
      if (deed.outcome == Deed::Outcome::kRefused) {
        ++refusals[deed.Name() + " " +
                   std::string(deed.status.message()).substr(0, 60)];
      }
    }
    for (auto& [name, count] : refusals) {
      if (count > 3) std::cerr << count << " " << name << "\n";
    }
  }
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
    std::cerr << trial.summary << "\n";
    INFO("SEED=" << seed << "\n" << trial.troubles);
    const std::string findings = absl::StrJoin(trial.findings, "\n\n");
    CHECK(findings == "");
  }
}

}  // namespace
}  // namespace mtp::tests
