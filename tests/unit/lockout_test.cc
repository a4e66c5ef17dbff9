#include "order_service/lockout.h"

#include <catch2/catch.hpp>

namespace mtp::order {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr LockPolicy kPolicy{
    .after = 3, .first = absl::Seconds(30), .longest = absl::Minutes(15)};

TEST_CASE("a few wrong passwords lock nobody") {
  Guesses guesses;
  guesses.Count(kPolicy, kNow);
  guesses.Count(kPolicy, kNow);
  CHECK_FALSE(guesses.Locked(kNow));
  guesses.Count(kPolicy, kNow);
  CHECK(guesses.Locked(kNow));
  CHECK(guesses.Locked(kNow + absl::Seconds(29)));
  CHECK_FALSE(guesses.Locked(kNow + absl::Seconds(30)));
}

TEST_CASE(
    "each further wrong password locks for twice as long, up to a limit") {
  Guesses guesses;
  absl::Time now = kNow;
  absl::Duration before;
  for (int i = 0; i < 100; ++i) {
    guesses.Count(kPolicy, now);
    if (!guesses.Locked(now)) continue;
    const absl::Duration lock = *guesses.locked_until - now;
    CHECK(lock >= before);
    CHECK(lock <= kPolicy.longest);
    if (before > absl::ZeroDuration()) {
      CHECK(lock == std::min(kPolicy.longest, before * 2));
    }
    before = lock;
    now = *guesses.locked_until;
  }
  CHECK(before == kPolicy.longest);
}

TEST_CASE("mistakes of days ago are forgotten") {
  Guesses guesses;
  for (int i = 0; i < 20; ++i) {
    guesses.Count(kPolicy, kNow + absl::Hours(25) * i);
    CHECK(guesses.failed == 1);
  }
  CHECK_FALSE(guesses.locked_until.has_value());
}

}  // namespace
}  // namespace mtp::order
