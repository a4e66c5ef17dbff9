#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "bench/asker.h"
#include "tests/support/large_files.h"
#include "tests/support/mtpctl.h"
#include "tests/support/stack.h"
#include "tests/support/wait.h"

// Imports of 100,000 rows through mtpctl, with everything on and fsync: how
// long they take, how much memory the service and the client come to hold, and
// how long people's requests wait meanwhile, beside what they wait otherwise.
namespace mtp::bench {
namespace {

constexpr int kRows = 100'000;
constexpr double kMebibyte = 1 << 20;

void Import(const tests::Stack& stack, const char* what,
            const std::string& content, nlohmann::ordered_json& figures,
            const std::string& name) {
  const tests::Mtpctl mtpctl(stack);
  const tests::TemporaryFile file(content);
  const tests::TemporaryFile log("");
  Asker beside(stack, "BESIDE");
  const absl::Time began = absl::Now();
  tests::Process process(mtpctl.Command({what, "import", file.path()}),
                         log.path());
  int64_t client_memory = 0;
  REQUIRE(tests::Eventually(
      [&] {
        client_memory = std::max(client_memory, process.PeakMemory());
        return !process.Running();
      },
      absl::Minutes(5)));
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const std::vector<absl::Duration> took = beside.End();
  INFO(tests::ReadFile(log.path()));
  CHECK(process.Wait(absl::ZeroDuration()) == 0);
  CHECK(beside.failed() == 0);
  const double service_mib =
      static_cast<double>(stack.PeakMemory(common::v1::SIDE_ORDER)) / kMebibyte;
  const double client_mib = static_cast<double>(client_memory) / kMebibyte;
  std::printf(
      "  %-34s %6.1f s  %8.0f rows/s   service %4.0f MiB, mtpctl %3.0f MiB\n",
      name.c_str(), seconds, kRows / seconds, service_mib, client_mib);
  std::printf("  %-34s CreateRequest meanwhile: %s\n", "", Shown(took).c_str());
  std::fflush(stdout);
  figures[name] = {{"seconds", seconds},
                   {"service_mib", service_mib},
                   {"mtpctl_mib", client_mib},
                   {"longest_request_ms", Milliseconds(took, 1)}};
}

TEST_CASE("imports of 100,000 rows, and who waits for them") {
  tests::Cluster cluster(tests::Cluster::Durability::kDurable);
  tests::Stack stack({.cluster = &cluster});
  const tests::Mtpctl mtpctl(stack);
  const tests::TemporaryFile own(tests::PlanFile("OWN", 1));
  mtpctl.Do({"plan", "import", own.path()});
  PlanOrder(stack, "BESIDE");

  std::printf("Imports through mtpctl, fsync on, the other side listening:\n");
  Asker idle(stack, "BESIDE");
  absl::SleepFor(absl::Seconds(3));
  std::printf("  %-34s CreateRequest: %s\n", "nothing else to do",
              Shown(idle.End()).c_str());
  nlohmann::ordered_json figures;
  const std::string plans = tests::PlanFile("BIG", kRows);
  const std::string requests = tests::OpenOrderFile("BIG", kRows);
  Import(stack, "plan", plans, figures, "plans, all new");
  Import(stack, "plan", plans + "\r\n", figures, "plans, all as before");
  Import(stack, "request", requests, figures, "open orders, all new");
  Import(stack, "request", requests, figures, "open orders, all as before");
  std::ofstream(absl::StrCat(MTP_SOURCE_DIR, "/build/bench-imports.json"))
      << figures.dump(2) << "\n";
  std::printf("Written to build/bench-imports.json.\n");
}

}  // namespace
}  // namespace mtp::bench
