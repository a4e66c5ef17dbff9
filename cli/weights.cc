#include "cli/weights.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace mtp::cli {
namespace {

struct Unit {
  std::string_view name;
  // How many decimals of this unit are whole grams.
  int decimals;
};
constexpr std::array kUnits = {Unit{"kg", 3}, Unit{"g", 0}, Unit{"t", 6}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether the commas of a whole number stand before groups of three digits.
bool CommasAreRight(std::string_view whole) {
  const size_t first = whole.find(',');
  if (first == std::string_view::npos) return true;
  if (first == 0 || first > 3) return false;
  const std::string_view groups = whole.substr(first);
  if (groups.size() % 4 != 0) return false;
  for (size_t i = 0; i < groups.size(); ++i) {
    if ((groups[i] == ',') != (i % 4 == 0)) return false;
  }
  return true;
}

absl::Status NotANumber(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("`", std::string(text), "` is not a number"));
}

}  // namespace

absl::StatusOr<int64_t> ParseDecimal(std::string_view text, int decimals) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? "" : text.substr(point + 1);
  if (whole.empty() || !CommasAreRight(whole) ||
      (point != std::string_view::npos && fraction.empty())) {
    return NotANumber(text);
  }
  int64_t value = 0;
  const auto take = [&value](char digit) {
    return !__builtin_mul_overflow(value, 10, &value) &&
           !__builtin_add_overflow(value, digit - '0', &value);
  };
  for (const char c : whole) {
    if (c == ',') continue;
    if (!IsDigit(c)) return NotANumber(text);
    if (!take(c)) return absl::InvalidArgumentError("the number is too large");
  }
  int places = 0;
  for (const char c : fraction) {
    if (!IsDigit(c)) return NotANumber(text);
    if (places == decimals) {
      // Zeros beyond the last place say nothing.
      if (c == '0') continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "`", std::string(text), "` has more than ", decimals, " decimals"));
    }
    if (!take(c)) return absl::InvalidArgumentError("the number is too large");
    ++places;
  }
  for (; places < decimals; ++places) {
    if (!take('0')) {
      return absl::InvalidArgumentError("the number is too large");
    }
  }
  return value;
}

absl::StatusOr<int64_t> ParseGrams(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && absl::ascii_isalpha(text[end - 1])) --end;
  const std::string name = absl::AsciiStrToLower(std::string(text.substr(end)));
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const Unit& u) { return u.name == name; });
  if (unit == kUnits.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", std::string(text),
                     "` is not a weight: write 500kg, 62.5kg or 1200g"));
  }
  std::string_view number = text.substr(0, end);
  while (!number.empty() && number.back() == ' ') number.remove_suffix(1);
  const absl::StatusOr<int64_t> grams = ParseDecimal(number, unit->decimals);
  if (grams.ok()) return grams;
  return absl::InvalidArgumentError(absl::StrCat(
      "`", std::string(text),
      "` is not a weight in whole grams: ", grams.status().message()));
}

}  // namespace mtp::cli
