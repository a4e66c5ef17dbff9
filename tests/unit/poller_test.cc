#include "common/base/poller.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/wait.h"

namespace mtp {
namespace {

constexpr absl::Duration kAtOnce = absl::Milliseconds(1);

TEST_CASE("a poller tells once per outage, and goes on looking") {
  const std::vector<absl::Status> script = {absl::UnavailableError("first"),
                                            absl::UnavailableError("still"),
                                            absl::OkStatus(),
                                            absl::OkStatus(),
                                            absl::UnavailableError("second"),
                                            absl::InternalError("still"),
                                            absl::OkStatus()};
  std::atomic<size_t> looks{0};
  std::vector<std::string> told;
  {
    Poller poller({.poll = kAtOnce,
                   .look =
                       [&] {
                         const size_t look = looks++;
                         return look < script.size() ? script[look]
                                                     : absl::OkStatus();
                       },
                   .log_failure =
                       [&](const absl::Status& status) {
                         told.emplace_back(status.message());
                       }});
    REQUIRE(tests::Eventually([&] { return looks > script.size(); }));
  }
  REQUIRE(told == std::vector<std::string>{"first", "second"});
}

TEST_CASE("a poller that tells nobody goes on looking, too") {
  std::atomic<int> looks{0};
  const Poller poller({.poll = kAtOnce, .look = [&] {
                         ++looks;
                         return absl::UnavailableError("always");
                       }});
  REQUIRE(tests::Eventually([&] { return looks >= 3; }));
}

TEST_CASE("a poller ends at once, however long it would have waited") {
  std::atomic<int> looks{0};
  const absl::Time begun = absl::Now();
  std::optional<Poller> poller;
  poller.emplace(Poller::Options{.poll = absl::Hours(1), .look = [&] {
                                   ++looks;
                                   return absl::OkStatus();
                                 }});
  poller.reset();
  REQUIRE(absl::Now() - begun < tests::kLimit);
  REQUIRE(looks == 0);
}

}  // namespace
}  // namespace mtp
