#include "common/base/characters.h"

#include <catch2/catch.hpp>

namespace mtp {
namespace {

TEST_CASE("characters are counted, not bytes") {
  CHECK(CountCharacters("") == 0);
  CHECK(CountCharacters("tea") == 3);
  CHECK(CountCharacters("th\u00e9") == 3);
  CHECK(CountCharacters("\u0dad\u0dda\U0001f375") == 3);
}

TEST_CASE("the first characters of a text are cut between characters") {
  CHECK(FirstCharacters("tea", 3) == "tea");
  CHECK(FirstCharacters("teas", 3) == "tea");
  CHECK(FirstCharacters("\u0dad\u0dda\u0d9a", 2) == "\u0dad\u0dda");
  CHECK(FirstCharacters("", 3).empty());
}

}  // namespace
}  // namespace mtp
