#include "common/base/spreadsheet_text.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace mtp {
namespace {

// A million tonnes, as for every amount of the contract.
constexpr int64_t kGramsLimit = 1'000'000'000'000;
// More digits than any number that is counted here, and safe in int64.
constexpr size_t kDigitsLimit = 15;
constexpr size_t kKilogramDecimals = 3;

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// The digits of a whole number, commas between thousands left out; nothing when
// it is not written so.
std::optional<std::string> WholeDigits(std::string_view text) {
  const size_t first_comma = text.find(',');
  if (first_comma == std::string_view::npos) {
    if (!AllDigits(text)) return std::nullopt;
    return std::string(text);
  }
  if (first_comma > 3 || !AllDigits(text.substr(0, first_comma)))
    return std::nullopt;
  std::string digits(text.substr(0, first_comma));
  for (text.remove_prefix(first_comma); !text.empty(); text.remove_prefix(4)) {
    if (text.size() < 4 || text[0] != ',' || !AllDigits(text.substr(1, 3))) {
      return std::nullopt;
    }
    digits.append(text.substr(1, 3));
  }
  return digits;
}

// Digits as a number of units of 10^-decimals; nothing when there are too many.
std::optional<int64_t> Scaled(std::string digits, std::string_view fraction,
                              size_t decimals) {
  digits.append(fraction).append(decimals - fraction.size(), '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  int64_t number = 0;
  if (digits.size() > kDigitsLimit || !absl::SimpleAtoi(digits, &number)) {
    return std::nullopt;
  }
  return number;
}

struct Sign {
  bool negative = false;
  std::string_view rest;
};

Sign TakeSign(std::string_view text) {
  if (!text.empty() && text[0] == '-') return {true, text.substr(1)};
  return {false, text};
}

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

// 1 to 12 for a month's name or its first three letters, else 0.
int MonthOfName(std::string_view name) {
  const auto same = [](std::string_view a, std::string_view b) {
    return absl::EqualsIgnoreCase(absl::string_view(a.data(), a.size()),
                                  absl::string_view(b.data(), b.size()));
  };
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (same(name, kMonths[i]) || same(name, kMonths[i].substr(0, 3))) {
      return static_cast<int>(i) + 1;
    }
  }
  return 0;
}

int Small(std::string_view digits) {
  int number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

Reading<absl::CivilDay> Day(std::string_view year, int month,
                            std::string_view day) {
  const absl::CivilDay date(Small(year), month, Small(day));
  if (date.month() != month || date.day() != Small(day)) {
    return CellFault::kNoSuchDate;
  }
  if (date.year() < 1900) return CellFault::kOutOfRange;
  return date;
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kNoBreakSpace = "\xc2\xa0";
  while (true) {
    if (!text.empty() && absl::ascii_isspace(text.front())) {
      text.remove_prefix(1);
    } else if (!text.empty() && absl::ascii_isspace(text.back())) {
      text.remove_suffix(1);
    } else if (text.starts_with(kNoBreakSpace)) {
      text.remove_prefix(kNoBreakSpace.size());
    } else if (text.ends_with(kNoBreakSpace)) {
      text.remove_suffix(kNoBreakSpace.size());
    } else {
      return text;
    }
  }
}

Reading<int64_t> ReadKilograms(std::string_view text) {
  const auto [negative, unsigned_text] = TakeSign(Trimmed(text));
  const size_t point = unsigned_text.find('.');
  std::string_view fraction;
  if (point != std::string_view::npos) {
    fraction = unsigned_text.substr(point + 1);
    if (!AllDigits(fraction)) return CellFault::kNotANumber;
  }
  const std::optional<std::string> digits =
      WholeDigits(unsigned_text.substr(0, point));
  if (!digits.has_value()) return CellFault::kNotANumber;
  // Zeros beyond the last place say nothing.
  while (fraction.size() > kKilogramDecimals && fraction.back() == '0')
    fraction.remove_suffix(1);
  if (fraction.size() > kKilogramDecimals) return CellFault::kTooPrecise;
  const std::optional<int64_t> grams =
      Scaled(*digits, fraction, kKilogramDecimals);
  if (!grams.has_value() || *grams > kGramsLimit || (negative && *grams != 0)) {
    return CellFault::kOutOfRange;
  }
  return *grams;
}

Reading<int64_t> ReadWhole(std::string_view text) {
  const auto [negative, unsigned_text] = TakeSign(Trimmed(text));
  const std::optional<std::string> digits = WholeDigits(unsigned_text);
  if (!digits.has_value()) return CellFault::kNotANumber;
  const std::optional<int64_t> number = Scaled(*digits, "", 0);
  if (!number.has_value() || (negative && *number != 0)) {
    return CellFault::kOutOfRange;
  }
  return *number;
}

Reading<absl::CivilDay> ReadDate(std::string_view text) {
  text = Trimmed(text);
  const size_t first = text.find_first_of("-/ ");
  if (first == std::string_view::npos) return CellFault::kNotADate;
  const char separator = text[first];
  const size_t second = text.find(separator, first + 1);
  if (second == std::string_view::npos) return CellFault::kNotADate;
  const std::string_view head = text.substr(0, first);
  const std::string_view middle = text.substr(first + 1, second - first - 1);
  const std::string_view tail = text.substr(second + 1);
  if (!AllDigits(head) || !AllDigits(tail)) return CellFault::kNotADate;

  if (separator == '-' && head.size() == 4) {
    if (!AllDigits(middle) || middle.size() != 2 || tail.size() != 2) {
      return CellFault::kNotADate;
    }
    return Day(head, Small(middle), tail);
  }
  if (head.size() > 2 || tail.size() != 4) return CellFault::kNotADate;
  if (separator == '/') {
    if (!AllDigits(middle) || middle.size() > 2) return CellFault::kNotADate;
    return Day(tail, Small(middle), head);
  }
  const int month = MonthOfName(middle);
  if (month == 0) return CellFault::kNotADate;
  return Day(tail, month, head);
}

}  // namespace mtp
