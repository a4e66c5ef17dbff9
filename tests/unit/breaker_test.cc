#include "common/rpc/breaker.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "common/base/errors.h"

namespace mtp::rpc {
namespace {

const absl::Status kLost = absl::UnavailableError("connection refused");

// A breaker with a clock that the test moves and waits at their longest.
struct Bench {
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  std::vector<Breaker::State> changes;
  Breaker breaker{{.failures_to_open = 3,
                   .wait = {.first = absl::Seconds(1), .cap = absl::Seconds(4)},
                   .probe_limit = absl::Seconds(30)},
                  [this] { return now; },
                  [] { return 1.0; }};

  Bench() {
    breaker.OnChange(
        [this](Breaker::State state) { changes.push_back(state); });
  }
  void Call(const absl::Status& outcome) {
    const auto permit = breaker.Admit();
    REQUIRE(permit.has_value());
    breaker.Record(*permit, outcome);
  }
  void Break() {
    for (int i = 0; i < 3; ++i) Call(kLost);
    REQUIRE(breaker.Look().state == Breaker::State::kOpen);
  }
};

TEST_CASE("the breaker opens after so many transport failures in a row") {
  Bench bench;
  bench.Call(kLost);
  bench.Call(kLost);
  bench.Call(absl::OkStatus());
  bench.Call(kLost);
  bench.Call(kLost);
  REQUIRE(bench.breaker.Look().state == Breaker::State::kClosed);
  bench.Call(absl::DeadlineExceededError(""));
  REQUIRE(bench.breaker.Look().state == Breaker::State::kOpen);
  REQUIRE_FALSE(bench.breaker.Admit().has_value());
  REQUIRE(bench.breaker.RetryAfter() == absl::Seconds(1));
}

TEST_CASE("the last failure is told for good, also after a reset") {
  Bench bench;
  CHECK_FALSE(bench.breaker.Look().last_failed_at.has_value());
  bench.Break();
  const absl::Time failed = bench.now;
  bench.now += absl::Minutes(1);
  bench.breaker.Reset();
  bench.Call(absl::InternalError("bug"));
  const Breaker::Snapshot snapshot = bench.breaker.Look();
  CHECK(snapshot.state == Breaker::State::kClosed);
  CHECK(snapshot.consecutive_failures == 0);
  CHECK(snapshot.last_error == "UNAVAILABLE: connection refused");
  CHECK(snapshot.last_failed_at == failed);
}

TEST_CASE("errors that the peer answers do not open the breaker") {
  Bench bench;
  for (int i = 0; i < 20; ++i) {
    bench.Call(absl::InternalError("bug"));
    bench.Call(errors::Unavailable("DATABASE_LOST", "later", absl::Seconds(1)));
    bench.Call(absl::ResourceExhaustedError(""));
  }
  REQUIRE(bench.breaker.Look().state == Breaker::State::kClosed);
}

TEST_CASE("one call probes, and its success closes the breaker") {
  Bench bench;
  bench.Break();
  bench.now += absl::Seconds(1);
  const auto probe = bench.breaker.Admit();
  REQUIRE(probe.has_value());
  REQUIRE_FALSE(bench.breaker.Admit().has_value());
  bench.breaker.Record(*probe, absl::NotFoundError("an answer is an answer"));
  REQUIRE(bench.breaker.Look().state == Breaker::State::kClosed);
  REQUIRE(bench.breaker.Admit().has_value());
  REQUIRE(bench.changes == std::vector<Breaker::State>{
                               Breaker::State::kOpen, Breaker::State::kHalfOpen,
                               Breaker::State::kClosed});
}

TEST_CASE("every failed probe doubles the wait, up to the cap") {
  Bench bench;
  bench.Break();
  for (const int seconds : {1, 2, 4, 4, 4}) {
    REQUIRE(bench.breaker.RetryAfter() == absl::Seconds(seconds));
    bench.now += absl::Seconds(seconds) - absl::Milliseconds(1);
    REQUIRE_FALSE(bench.breaker.Admit().has_value());
    bench.now += absl::Milliseconds(1);
    bench.Call(kLost);
  }
}

TEST_CASE("an outcome from before the breaker opened changes nothing") {
  Bench bench;
  const auto early = bench.breaker.Admit();
  bench.Break();
  bench.breaker.Record(*early, absl::OkStatus());
  REQUIRE(bench.breaker.Look().state == Breaker::State::kOpen);
  bench.now += absl::Seconds(1);
  const auto probe = bench.breaker.Admit();
  bench.breaker.Record(*early, kLost);
  REQUIRE(bench.breaker.Look().state == Breaker::State::kHalfOpen);
  bench.breaker.Record(*probe, absl::OkStatus());
  REQUIRE(bench.breaker.Look().state == Breaker::State::kClosed);
}

TEST_CASE("a probe that is called off or lost gives way to the next") {
  Bench bench;
  bench.Break();
  bench.now += absl::Seconds(1);
  bench.breaker.Record(*bench.breaker.Admit(), absl::CancelledError(""));
  const auto second = bench.breaker.Admit();
  REQUIRE(second.has_value());
  REQUIRE_FALSE(bench.breaker.Admit().has_value());
  bench.now += absl::Seconds(30);
  const auto third = bench.breaker.Admit();
  REQUIRE(third.has_value());
  bench.breaker.Record(*second, kLost);
  REQUIRE(bench.breaker.Look().state == Breaker::State::kHalfOpen);
  bench.breaker.Record(*third, absl::OkStatus());
  REQUIRE(bench.breaker.Look().state == Breaker::State::kClosed);
}

TEST_CASE("a reset closes an open breaker and forgets the waits") {
  Bench bench;
  bench.Break();
  bench.now += absl::Seconds(1);
  bench.Call(kLost);
  bench.breaker.Reset();
  REQUIRE(bench.breaker.Look().state == Breaker::State::kClosed);
  bench.Break();
  REQUIRE(bench.breaker.RetryAfter() == absl::Seconds(1));
}

TEST_CASE("of many threads one gets the probe") {
  for (int round = 0; round < 50; ++round) {
    Bench bench;
    bench.Break();
    bench.now += absl::Seconds(1);
    std::atomic<int> admitted{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        if (bench.breaker.Admit().has_value()) ++admitted;
      });
    }
    for (std::thread& thread : threads) thread.join();
    REQUIRE(admitted == 1);
  }
}

TEST_CASE("a backoff never exceeds its ceiling and starts anew after a reset") {
  Backoff backoff({.first = absl::Milliseconds(100), .cap = absl::Seconds(1)},
                  RandomUniform());
  absl::Duration ceiling = absl::Milliseconds(100);
  for (int i = 0; i < 100; ++i) {
    const absl::Duration wait = backoff.Next();
    REQUIRE(wait >= absl::ZeroDuration());
    REQUIRE(wait <= ceiling);
    ceiling = std::min(ceiling * 2, absl::Seconds(1));
  }
  backoff.Reset();
  REQUIRE(backoff.Next() <= absl::Milliseconds(100));
}

}  // namespace
}  // namespace mtp::rpc
