#include "common/telemetry/level_switch.h"

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "tests/support/wait.h"

namespace mtp::telemetry {
namespace {

struct Bench {
  std::unique_ptr<Log> log = Log::Open({.file = "/dev/null"}).value();
  LevelSwitch levels{*log};

  bool Becomes(Level level) {
    return tests::Eventually([&] { return log->level() == level; });
  }
};

TEST_CASE("a level that is set for a while ends by itself") {
  Bench bench;
  bench.levels.Set(Level::kDebug, absl::Milliseconds(20));
  CHECK(bench.log->level() == Level::kDebug);
  CHECK(bench.Becomes(Level::kInfo));
}

TEST_CASE("after a level for a while the one before it returns") {
  Bench bench;
  bench.levels.Set(Level::kWarning, std::nullopt);
  bench.levels.Set(Level::kDebug, absl::Hours(1));
  bench.levels.Set(Level::kError, absl::Milliseconds(20));
  CHECK(bench.log->level() == Level::kError);
  CHECK(bench.Becomes(Level::kDebug));
  // One that has ended meanwhile does not.
  bench.levels.Set(Level::kError, absl::Hours(2));
  bench.levels.Set(Level::kInfo, absl::Milliseconds(20));
  CHECK(bench.Becomes(Level::kError));
}

TEST_CASE("what ends before a later one does not return after it") {
  Bench bench;
  bench.levels.Set(Level::kError, absl::Milliseconds(10));
  bench.levels.Set(Level::kDebug, absl::Milliseconds(20));
  CHECK(bench.log->level() == Level::kDebug);
  CHECK(bench.Becomes(Level::kInfo));
}

TEST_CASE("a level that is set for good ends all that were for a while") {
  Bench bench;
  bench.levels.Set(Level::kDebug, absl::Hours(1));
  bench.levels.Set(Level::kWarning, std::nullopt);
  CHECK(bench.log->level() == Level::kWarning);
  // The debug level of an hour would be the one before.
  bench.levels.Set(Level::kError, absl::Milliseconds(10));
  CHECK(bench.Becomes(Level::kWarning));
}

}  // namespace
}  // namespace mtp::telemetry
