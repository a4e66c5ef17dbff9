#include "common/base/weights.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mtp {
namespace {

constexpr int64_t kGramsPerKilogram = 1000;

}  // namespace

std::string Thousands(int64_t number) {
  const std::string digits = absl::StrCat(number);
  const size_t first = number < 0 ? 1 : 0;
  std::string text;
  for (size_t at = 0; at < digits.size(); ++at) {
    if (at > first && (digits.size() - at) % 3 == 0) text.push_back(',');
    text.push_back(digits[at]);
  }
  return text;
}

int KilogramDecimals(int64_t grams) {
  if (grams % 10 != 0) return 3;
  if (grams % 100 != 0) return 2;
  return grams % kGramsPerKilogram != 0 ? 1 : 0;
}

std::string Kilograms(int64_t grams) {
  return Kilograms(grams, KilogramDecimals(grams));
}

std::string Kilograms(int64_t grams, int decimals) {
  const int64_t whole = grams / kGramsPerKilogram;
  std::string text = grams < 0 && whole == 0 ? "-0" : Thousands(whole);
  if (decimals > 0) {
    const std::string fraction =
        absl::StrFormat("%03d", std::abs(grams % kGramsPerKilogram));
    absl::StrAppend(&text, ".", fraction.substr(0, decimals));
  }
  return text + " kg";
}

}  // namespace mtp
