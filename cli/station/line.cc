#include "cli/station/line.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/table.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

namespace mtp::cli {
namespace {

constexpr size_t kUuidLength = 36;
constexpr size_t kUuidDigits = 32;
// Longer than any scanner's line: somebody sends something else.
constexpr size_t kLongestLine = 300;

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "`", Printable(text.substr(0, 60)), "`: ", std::string(why)));
}

// Without byte order mark; control characters become blanks.
std::string Cleaned(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.substr(0, kMark.size()) == kMark) text.remove_prefix(kMark.size());
  std::string clean(text);
  for (char& c : clean) {
    if (absl::ascii_iscntrl(c)) c = ' ';
  }
  return clean;
}

bool IsDigit(const std::string& text, size_t at) {
  return at < text.size() && absl::ascii_isdigit(text[at]);
}

// Whether the comma at `at` groups thousands: a digit before, three after.
bool GroupsThousands(const std::string& text, size_t at) {
  return at > 0 && IsDigit(text, at - 1) && IsDigit(text, at + 1) &&
         IsDigit(text, at + 2) && IsDigit(text, at + 3) &&
         !IsDigit(text, at + 4);
}

bool IsKind(std::string_view word) {
  constexpr std::array<std::string_view, 5> kKinds = {
      "tealine", "herbline", "blendbalance", "blendsheet", "flavorsheet"};
  return std::find(kKinds.begin(), kKinds.end(), word) != kKinds.end();
}

// Where a UUID stands in the text, or npos.
size_t FindUuid(const std::string& text, size_t from) {
  for (size_t i = from; i + kUuidLength <= text.size(); ++i) {
    if (text[i + 8] == '-' &&
        Uuid::Parse(text.substr(i, kUuidLength)).has_value()) {
      return i;
    }
  }
  return std::string::npos;
}

// Gives UUIDs that are written in braces or without hyphens their usual form.
std::string WithUsualUuids(const std::string& text) {
  const auto is_hex = [&](size_t at) {
    return at < text.size() && absl::ascii_isxdigit(text[at]);
  };
  const auto is_word = [&](size_t at) {
    return at < text.size() && absl::ascii_isalnum(text[at]);
  };
  std::string usual;
  for (size_t i = 0; i < text.size();) {
    // A symbology identifier may stand right before it.
    const bool begins =
        i == 0 || !is_word(i - 1) || (i >= 3 && text[i - 3] == ']');
    size_t digits = 0;
    while (begins && digits < kUuidDigits && is_hex(i + digits)) ++digits;
    if (digits < kUuidDigits || is_word(i + digits)) {
      // What stands before an opening brace is its kind.
      if (text[i] != '{') usual += text[i] == '}' ? ' ' : text[i];
      ++i;
      continue;
    }
    const std::string_view plain = std::string_view(text).substr(i, digits);
    absl::StrAppend(&usual, std::string(plain.substr(0, 8)), "-",
                    std::string(plain.substr(8, 4)), "-",
                    std::string(plain.substr(12, 4)), "-",
                    std::string(plain.substr(16, 4)), "-",
                    std::string(plain.substr(20)));
    i += digits;
  }
  return usual;
}

// Takes the barcode out of the text, with its kind and what a scanner puts
// before it.
absl::StatusOr<std::string> TakeBarcode(std::string& text) {
  const size_t at = FindUuid(text, 0);
  if (at == std::string::npos) return "";
  if (FindUuid(text, at + kUuidLength) != std::string::npos) {
    return Wrong(text, "two barcodes in one line");
  }
  std::string barcode = absl::AsciiStrToLower(text.substr(at, kUuidLength));
  size_t begin = at;
  if (begin > 0 && text[begin - 1] == ':') {
    size_t kind = begin - 1;
    while (kind > 0 && absl::ascii_isalpha(text[kind - 1])) --kind;
    // A symbology identifier ends in a digit, so it is no part of the word.
    const std::string word =
        absl::AsciiStrToLower(text.substr(kind, begin - 1 - kind));
    if (!IsKind(word)) {
      return Wrong(text, absl::StrCat("no bag is of the kind `", word, "`"));
    }
    barcode = absl::StrCat(word, ":", barcode);
    begin = kind;
  }
  if (begin >= 3 && text[begin - 3] == ']') begin -= 3;
  text =
      absl::StrCat(text.substr(0, begin), " ", text.substr(at + kUuidLength));
  return barcode;
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between = text[i] == ' ' || text[i] == ';' ||
                         (text[i] == ',' && !GroupsThousands(text, i));
    if (!between) {
      words.back().push_back(text[i]);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool IsUnit(const std::string& word) {
  return word == "kg" || word == "g" || word == "t";
}

// What a scale says before a weight; false if it is no such word.
absl::StatusOr<bool> TakeScaleWord(const std::string& word, StationLine& line) {
  if (word == "us") return absl::InvalidArgumentError("the scale is unsteady");
  if (word == "ol") return absl::InvalidArgumentError("too much on the scale");
  if (word == "nt" || word == "n") line.net = true;
  return word == "st" || word == "gs" || word == "nt" || word == "n" ||
         word == "gross" || word == "net" || word == "+";
}

absl::Status TakeWeight(const std::string& word, StationLine& line) {
  ASSIGN_OR_RETURN(
      const int64_t grams,
      ParseGrams(absl::StartsWith(word, "+") ? word.substr(1) : word));
  if (line.second_grams.has_value()) {
    return absl::InvalidArgumentError("more than two weights in one line");
  }
  (line.first_grams.has_value() ? line.second_grams : line.first_grams) = grams;
  return absl::OkStatus();
}

}  // namespace

const char kStationLineHelp[] =
    "Lines: one bag each, as a scanner and a scale write them. BARCODE is the "
    "label's UUID with or without its kind (tealine:0190...), hyphens and "
    "braces; a scanner's symbology identifier (]C1) and control characters do "
    "not matter, and CR, LF or both end a line. "
    "WEIGHT has its unit: 52.4kg, 52.4 kg, 52400 g, ST,GS,+52.40kg. Between "
    "them blanks, tabs, commas or semicolons.";

absl::StatusOr<StationLine> ParseStationLine(std::string_view text,
                                             bool barcode_only) {
  if (text.size() > kLongestLine) return Wrong(text, "too long for a line");
  std::string rest = WithUsualUuids(Cleaned(text));
  StationLine line;
  ASSIGN_OR_RETURN(line.barcode, TakeBarcode(rest));
  const std::vector<std::string> words = WordsOf(absl::AsciiStrToLower(rest));
  for (size_t i = 0; i < words.size(); ++i) {
    const absl::StatusOr<bool> scale = TakeScaleWord(words[i], line);
    if (!scale.ok()) return Wrong(text, std::string(scale.status().message()));
    // `g` alone is a scale's word for gross.
    if (*scale || words[i] == "g") continue;
    std::string weight = words[i];
    if (i + 1 < words.size() && IsUnit(words[i + 1]) &&
        absl::ascii_isdigit(weight.back())) {
      weight += words[++i];
    }
    const absl::Status taken = TakeWeight(weight, line);
    if (!taken.ok() && barcode_only && line.barcode.empty()) {
      return Wrong(text, "is no barcode (the UUID of a label)");
    }
    if (!taken.ok()) return Wrong(text, std::string(taken.message()));
  }
  return line;
}

}  // namespace mtp::cli
