#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/weights.h"

namespace mtp::cli {

// Reads a weight as people write it: `500kg`, `62.5 kg`, `1,250kg`, `1200g`,
// `2t`. The unit is needed, for a bare number could be either; so is that it
// comes out as whole grams.
absl::StatusOr<int64_t> ParseGrams(std::string_view text);

// Reads a decimal number with at most `decimals` places as a whole number of
// its smallest place: `6.85` with 2 places is 685.
absl::StatusOr<int64_t> ParseDecimal(std::string_view text, int decimals);

}  // namespace mtp::cli
