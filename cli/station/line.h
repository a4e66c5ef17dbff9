#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace mtp::cli {

// What a scanner and a scale write: a line a bag.
struct StationLine {
  // As the contract takes it: `tealine:0190…` or the UUID alone, in lower case;
  // empty if the line has none.
  std::string barcode;
  // In the order in which they stand.
  std::optional<int64_t> first_grams, second_grams;
  // The scale says that it took the tare off already.
  bool net = false;

  bool IsBlank() const { return barcode.empty() && !first_grams.has_value(); }
};

// Reads a line: a barcode, weights, or both, in any order, with blanks, tabs,
// commas or semicolons between them, at most one barcode and two weights.
// Tolerated: carriage returns and other control characters, a byte order mark,
// a scanner's symbology identifier (`]C1`), the kind before the barcode, its
// UUID in braces or without hyphens,
// weights as `52.4kg`, `52.4 kg`, `52400 g`, `+52.40kg`, and what scales write
// before them: ST (steady), GS or G (gross), NT or N (net). US (unsteady) and
// OL (overload) are refused. A weight needs its unit. INVALID_ARGUMENT in words
// for the person at the station.
// With `barcode_only`, what is no barcode is not said to be no weight.
absl::StatusOr<StationLine> ParseStationLine(std::string_view text,
                                             bool barcode_only = false);

// The same, for the help of commands that read such lines.
extern const char kStationLineHelp[];

}  // namespace mtp::cli
