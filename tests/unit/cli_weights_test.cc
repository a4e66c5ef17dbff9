#include <limits>
#include <string>

#include "catch2/catch.hpp"
#include "cli/weights.h"

namespace mtp::cli {
namespace {

int64_t Grams(const std::string& text) {
  const auto grams = ParseGrams(text);
  INFO(text << ": " << grams.status().message());
  REQUIRE(grams.ok());
  return *grams;
}

TEST_CASE("weights are read with their unit") {
  CHECK(Grams("500kg") == 500'000);
  CHECK(Grams("62.5kg") == 62'500);
  CHECK(Grams("62.5 kg") == 62'500);
  CHECK(Grams("1200g") == 1'200);
  CHECK(Grams("0.035KG") == 35);
  CHECK(Grams("2t") == 2'000'000);
  CHECK(Grams("1,250kg") == 1'250'000);
  CHECK(Grams("1.500000kg") == 1'500);
}

TEST_CASE("what is no weight in whole grams is refused") {
  for (const char* text :
       {"", "kg", "500", "62,5kg", "1.2345kg", "0.5g", "-1kg", "1e3kg", "5lb",
        "1.kg", ".5kg", "1 2kg", "12,34kg", ",100kg", "1,0000kg",
        "9999999999999999999kg"}) {
    INFO(text);
    CHECK_FALSE(ParseGrams(text).ok());
  }
}

TEST_CASE("weights are shown in kilograms with the decimals they need") {
  CHECK(Kilograms(0) == "0 kg");
  CHECK(Kilograms(500'000) == "500 kg");
  CHECK(Kilograms(62'500) == "62.5 kg");
  CHECK(Kilograms(35) == "0.035 kg");
  CHECK(Kilograms(1'250'010) == "1,250.01 kg");
  CHECK(Kilograms(-500) == "-0.5 kg");
  CHECK(Kilograms(62'500, 3) == "62.500 kg");
}

TEST_CASE("a weight that is shown is read again as the same") {
  for (int64_t grams = 1; grams < 10'000'000'000; grams = grams * 7 + 3) {
    CHECK(Grams(Kilograms(grams)) == grams);
  }
}

TEST_CASE("decimals are read to their smallest place") {
  CHECK(*ParseDecimal("6.85", 2) == 685);
  CHECK(*ParseDecimal("6", 2) == 600);
  CHECK(*ParseDecimal("325.5", 3) == 325'500);
  CHECK_FALSE(ParseDecimal("6.855", 2).ok());
  CHECK_FALSE(ParseDecimal("6,8", 2).ok());
}

TEST_CASE("thousands are separated") {
  CHECK(Thousands(0) == "0");
  CHECK(Thousands(999) == "999");
  CHECK(Thousands(1'000) == "1,000");
  CHECK(Thousands(-1'234'567) == "-1,234,567");
}

}  // namespace
}  // namespace mtp::cli
