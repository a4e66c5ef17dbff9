#include "common/base/spreadsheet_text.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mtp {
namespace {

// Grams as a spreadsheet shows kilograms: 1234567 -> "1,234.567".
std::string AsKilograms(int64_t grams) {
  const std::string digits = std::to_string(grams / 1000);
  std::string text;
  for (size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) text += ',';
    text += digits[at];
  }
  return absl::StrCat(text, absl::StrFormat(".%03d", grams % 1000));
}

TEST_CASE("kilograms are read to the gram") {
  CHECK(ReadKilograms("4,240.00").value == 4'240'000);
  CHECK(ReadKilograms("820.25").value == 820'250);
  CHECK(ReadKilograms("0.001").value == 1);
  CHECK(ReadKilograms("58165.5").value == 58'165'500);
  CHECK(ReadKilograms("1,234,567").value == 1'234'567'000);
  CHECK(ReadKilograms(" 5\xc2\xa0").value == 5'000);
  CHECK(ReadKilograms("0").value == 0);
  CHECK(ReadKilograms("1,000,000,000").value == 1'000'000'000'000);
}

TEST_CASE("kilograms that are no number say so") {
  for (const char* text :
       {"",         "-",        "kg",      "5 kg", "4.240,00", "42,40",
        "1,2345",   ",500",     "1,,000",  "5.",   ".5",       "1e3",
        "0x10",     "1 000",    "+5",      "--5",  "1.2.3",    "(500)",
        "1,234,56", "1234,567", "\xd9\xa1"}) {
    INFO(text);
    CHECK(ReadKilograms(text).fault == CellFault::kNotANumber);
  }
}

TEST_CASE("zeros behind the last gram say nothing") {
  CHECK(ReadKilograms("52.4000").value == 52'400);
  CHECK(ReadKilograms("1.00000000").value == 1'000);
}

TEST_CASE("kilograms finer than a gram or out of bounds say so") {
  CHECK(ReadKilograms("1.0005").fault == CellFault::kTooPrecise);
  CHECK(ReadKilograms("-1").fault == CellFault::kOutOfRange);
  CHECK(ReadKilograms("1,000,000,000.001").fault == CellFault::kOutOfRange);
  CHECK(ReadKilograms(std::string(400, '9')).fault == CellFault::kOutOfRange);
}

TEST_CASE("every weight survives being written in kilograms") {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int64_t> grams(0, 1'000'000'000'000);
  for (int i = 0; i < 10'000; ++i) {
    const int64_t expected = grams(random) >> (i % 40);
    INFO(AsKilograms(expected));
    REQUIRE(ReadKilograms(AsKilograms(expected)).value == expected);
  }
}

TEST_CASE("stocks are whole numbers") {
  CHECK(ReadWhole("38,456").value == 38'456);
  CHECK(ReadWhole("5009").value == 5'009);
  CHECK(ReadWhole("-0").value == 0);
  CHECK(ReadWhole("1.5").fault == CellFault::kNotANumber);
  CHECK(ReadWhole("-3").fault == CellFault::kOutOfRange);
}

TEST_CASE("the four ways of writing a date say the same day") {
  const absl::CivilDay day(2026, 11, 8);
  for (const char* text :
       {"2026-11-08", "08/11/2026", "8/11/2026", "08-Nov-2026", "8 Nov 2026",
        "8-november-2026", " 08 NOV 2026 "}) {
    INFO(text);
    CHECK(ReadDate(text).value == day);
  }
}

TEST_CASE("what is no date says why") {
  for (const char* text :
       {"", "soon", "2026-11", "2026/11/08", "08.11.2026", "08/11/26",
        "8 Nvo 2026", "2026-1-8", "20261108", "08-11-2026", "8/Nov/2026",
        "2026-11-08T00:00", "-1-11-2026"}) {
    INFO(text);
    CHECK(ReadDate(text).fault == CellFault::kNotADate);
  }
  CHECK(ReadDate("2026-02-30").fault == CellFault::kNoSuchDate);
  CHECK(ReadDate("31/11/2026").fault == CellFault::kNoSuchDate);
  CHECK(ReadDate("11/13/2026").fault == CellFault::kNoSuchDate);
  CHECK(ReadDate("2026-00-10").fault == CellFault::kNoSuchDate);
  CHECK(ReadDate("29 Feb 2027").fault == CellFault::kNoSuchDate);
  CHECK(ReadDate("1899-12-31").fault == CellFault::kOutOfRange);
}

TEST_CASE("every day from 1900 on survives being written") {
  for (absl::CivilDay day(1900, 1, 1); day.year() < 2101; day += 17) {
    INFO(day);
    REQUIRE(ReadDate(absl::FormatCivilTime(day)).value == day);
    REQUIRE(ReadDate(absl::StrFormat("%02d/%02d/%d", day.day(), day.month(),
                                     day.year()))
                .value == day);
  }
}

}  // namespace
}  // namespace mtp
