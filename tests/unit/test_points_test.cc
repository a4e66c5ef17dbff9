#include "common/base/test_points.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace mtp {
namespace {

// Lower-case words, divided by dashes, and below their step by underscores.
bool IsName(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-_.") ==
             std::string_view::npos;
}

template <size_t size>
std::set<std::string_view> Distinct(const std::string_view (&names)[size]) {
  std::set<std::string_view> distinct(std::begin(names), std::end(names));
  CHECK(distinct.size() == size);
  for (const std::string_view name : distinct) CHECK(IsName(name));
  return distinct;
}

TEST_CASE("every test point has a name of its own") {
  CHECK(Distinct(kPlantedBugs).contains("key-not-kept"));
  CHECK(Distinct(kCrashPoints).contains("write.after_commit"));
}

TEST_CASE("a name says which test point it is before the program runs") {
  constexpr PlantedBug first("key-not-kept");
  STATIC_REQUIRE(first.index() == 0);
  constexpr CrashPlace last("recover.after_end");
  STATIC_REQUIRE(last.index() == std::size(kCrashPoints) - 1);
}

TEST_CASE("without its build option no bug is planted and nothing crashes") {
  STATIC_REQUIRE(!Planted("key-not-kept"));
  CrashPoint("write.after_commit");
}

}  // namespace
}  // namespace mtp
