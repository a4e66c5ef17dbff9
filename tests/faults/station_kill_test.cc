#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <random>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/agreement.h"
#include "tests/support/mtpctl.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

namespace fs = std::filesystem;

// A line of the output says what became of this weight, which counts from then
// on. Every bag of the test has a weight of its own, and no label by which the
// service could know it again: only the request_id keeps it from being weighed
// in twice.
bool Promised(const std::string& output, int64_t gross) {
  const std::string line = absl::StrCat(gross, " g");
  const std::string net = absl::StrCat((gross - 400) / 1000.0, " kg");
  for (const absl::string_view text : absl::StrSplit(output, '\n')) {
    if (absl::StartsWith(text, "kept") && absl::StrContains(text, line)) {
      return true;
    }
    if ((absl::StartsWith(text, "ok") || absl::StartsWith(text, "sent")) &&
        absl::StrContains(text, net)) {
      return true;
    }
  }
  return false;
}

int Starts(const std::string& output) {
  int starts = 0;
  for (const absl::string_view text : absl::StrSplit(output, '\n')) {
    starts += absl::StartsWith(text, "start ") ? 1 : 0;
  }
  return starts;
}

// Who stands there: repeats a line if neither the run that was killed nor the
// start of the next one named it; how many they were.
int RepeatUnheard(StationProcess& station, int starts_before,
                  const std::vector<int64_t>& written) {
  REQUIRE(Eventually([&] { return Starts(station.Output()) > starts_before; }));
  const std::string output = station.Output();
  int repeated = 0;
  for (const int64_t gross : written) {
    if (Promised(output, gross)) continue;
    station.Write(absl::StrCat(gross, " g"));
    ++repeated;
  }
  return repeated;
}

TEST_CASE(
    "a station killed at any moment, with services killed too, loses and "
    "doubles no bag, and what it never told can be repeated") {
  Stack& stack = Stack::Shared("station");
  const Mtpctl mtpctl(stack);
  const std::string folder =
      (fs::temp_directory_path() / absl::StrCat("mtp-station-", NewRequestId()))
          .string();
  fs::create_directories(folder);
  mtpctl.Do({"location", "create", "Stores K"});
  mtpctl.Do({"tealine", "create", "TL-K", "--invoice", "I", "--grade", "BOP",
             "--garden", "Pedro", "--bags", "100000", "--each", "50kg"});
  const std::vector<std::string> words = {"receive", "--tealine",   "TL-K",
                                          "--at",    "Stores K",    "--tare",
                                          "400g",    "--new-labels"};
  std::mt19937 random(20'261'124);
  const auto upto = [&random](int most) {
    return std::uniform_int_distribution<int>(0, most)(random);
  };

  // A digit of grams in each, so that texts name one only.
  int64_t gross = 40'001;
  std::vector<int64_t> written;
  int starts = 0;
  int unheard_at_kill = 0;
  int repeated = 0;
  const auto unheard = [&](const std::string& output) {
    return static_cast<int>(
        std::count_if(written.begin(), written.end(),
                      [&](int64_t one) { return !Promised(output, one); }));
  };
  for (int round = 0; round < 25; ++round) {
    StationProcess station(mtpctl, folder, words);
    if (upto(4) == 0) {
      // Before or while it tells what is kept.
      absl::SleepFor(absl::Milliseconds(upto(60)));
      station.Kill();
      starts = Starts(station.Output());
      continue;
    }
    repeated += RepeatUnheard(station, starts, written);
    const int lines = 1 + upto(30);
    for (int i = 0; i < lines; ++i) {
      station.Write(absl::StrCat(gross, " g"));
      written.push_back(gross);
      gross += 7;
      if (upto(9) == 0) absl::SleepFor(absl::Milliseconds(upto(30)));
    }
    if (upto(3) == 0) {
      if (stack.Running(SIDE_PROCESSING)) {
        stack.Kill(SIDE_PROCESSING);
      } else {
        stack.Start(SIDE_PROCESSING);
      }
    }
    if (upto(1) == 0) absl::SleepFor(absl::Milliseconds(upto(400)));
    station.Kill();
    unheard_at_kill += unheard(station.Output());
    starts = Starts(station.Output());
  }
  if (!stack.Running(SIDE_PROCESSING)) stack.Start(SIDE_PROCESSING);
  {
    StationProcess station(mtpctl, folder, words);
    RepeatUnheard(station, starts, written);
    REQUIRE(Eventually([&] { return unheard(station.Output()) == 0; }));
    station.Kill();
  }
  const std::string spool = StationProcess::SpoolOf(folder);
  Outcome sent;
  REQUIRE(Eventually([&] {
    sent = mtpctl.Try({"spool", "send", "--spool", spool});
    return sent.exit_code == 0;
  }));
  CHECK(mtpctl.Do({"spool", "list", "--spool", spool}) == "none\n");

  std::multiset<int64_t> booked;
  for (const auto& row : stack.Database(SIDE_PROCESSING)
                             .Query("SELECT gross_grams FROM bag JOIN item "
                                    "USING (item_id) WHERE item_code = 'TL-K' "
                                    "ORDER BY bag_number")) {
    booked.insert(std::stoll(row[0]));
  }
  for (const int64_t one : written) {
    INFO(one << " g");
    CHECK(booked.count(one) == 1);
  }
  // The test would show nothing if every line were told before the kill, or
  // every one of these were recorded.
  CHECK(unheard_at_kill > 10);
  CHECK(repeated > 0);
  CHECK(repeated < unheard_at_kill);
  CHECK(BrokenInvariants(stack) == "");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace mtp::tests
