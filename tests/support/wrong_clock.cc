#include "tests/support/wrong_clock.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/strings/str_format.h"

namespace mtp::tests {
namespace {

std::string Library() {
  for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
    const auto file = folder.path() / "faketime/libfaketime.so.1";
    if (std::filesystem::exists(file)) return file.string();
  }
  FAIL("libfaketime is not installed: make setup");
  return "";
}

}  // namespace

std::vector<std::string> WrongClock(absl::Duration off) {
  static const std::string library = Library();
  return {"LD_PRELOAD=" + library,
          absl::StrFormat("FAKETIME=%+d", absl::ToInt64Seconds(off)),
          "FAKETIME_DONT_FAKE_MONOTONIC=1"};
}

}  // namespace mtp::tests
