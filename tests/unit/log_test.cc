#include "common/telemetry/log.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/uuid.h"
#include "nlohmann/json.hpp"

namespace mtp::telemetry {
namespace {

using nlohmann::json;

struct Bench {
  std::string path = "/tmp/mtp-log-" + Uuid::V7(absl::Now()).ToString();
  std::unique_ptr<Log> log =
      Log::Open(
          {.file = path,
           .service = "order",
           .clock = [] { return absl::FromUnixMicros(1'700'000'000'000'042); }})
          .value();
  ~Bench() { std::remove(path.c_str()); }

  // Every line, parsed: a line that is not JSON throws.
  std::vector<json> Lines() {
    log->Flush();
    std::ifstream in(path);
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);) {
      lines.push_back(json::parse(line));
    }
    return lines;
  }
};

TEST_CASE("a line is one JSON object with time, level, message and fields") {
  Bench bench;
  bench.log->Info("call", {{"method", "a.B.C"},
                           {"bytes", size_t{12}},
                           {"seconds", 0.25},
                           {"late", true},
                           {"nan", std::numeric_limits<double>::quiet_NaN()}});
  REQUIRE(bench.Lines() ==
          std::vector<json>{{{"time", "2023-11-14T22:13:20.000042Z"},
                             {"level", "info"},
                             {"service", "order"},
                             {"message", "call"},
                             {"method", "a.B.C"},
                             {"bytes", 12},
                             {"seconds", 0.25},
                             {"late", true},
                             {"nan", nullptr}}});
}

TEST_CASE("no text breaks a line") {
  Bench bench;
  for (int first = 0; first < 256; ++first) {
    std::string text = "a\"\\\n\r\t";
    text.push_back(static_cast<char>(first));
    text += "\xe2\x82\xac\xed\xa0\x80\xc3";
    bench.log->Error(text, {{"text", text}});
  }
  const auto lines = bench.Lines();
  REQUIRE(lines.size() == 256);
  REQUIRE(lines[65]["text"].get<std::string>().starts_with(
      "a\"\\\n\r\tA\xe2\x82\xac"));
}

TEST_CASE("the level can be changed while it runs") {
  Bench bench;
  bench.log->Debug("not this");
  bench.log->SetLevel(Level::kDebug);
  bench.log->Debug("this");
  bench.log->SetLevel(Level::kError);
  bench.log->Warning("nor this");
  const auto lines = bench.Lines();
  REQUIRE(lines.size() == 1);
  REQUIRE(lines[0]["message"] == "this");
  REQUIRE(ParseLevel("warning") == Level::kWarning);
  REQUIRE_FALSE(ParseLevel("loud").has_value());
}

TEST_CASE("lines of many threads stay whole") {
  Bench bench;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) {
        bench.log->Info(std::string(100, 'x'), {{"k", k}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(bench.Lines().size() == 4000);
}

}  // namespace
}  // namespace mtp::telemetry
