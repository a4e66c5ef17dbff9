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

// A line of the output says that this weight is kept or done. Every bag of the
// test has a weight of its own, and no label by which the service could know it
// again: only the request_id keeps it from being weighed in twice.
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

TEST_CASE(
    "a station killed at any moment, with services killed too, loses and "
    "doubles no bag") {
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
  std::string output;
  for (int round = 0; round < 25; ++round) {
    StationProcess station(mtpctl, folder, words);
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
    absl::SleepFor(absl::Milliseconds(upto(400)));
    station.Kill();
    output = station.Output();
  }
  if (!stack.Running(SIDE_PROCESSING)) stack.Start(SIDE_PROCESSING);
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
  int promised = 0;
  for (const int64_t one : written) {
    INFO(one << " g");
    CHECK(booked.count(one) <= 1);
    if (!Promised(output, one)) continue;
    ++promised;
    CHECK(booked.count(one) == 1);
  }
  // The test would show nothing if all were killed before their first word.
  CHECK(promised > 50);
  CHECK(BrokenInvariants(stack) == "");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace mtp::tests
