#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace CLI {
class App;
}

namespace mtp::order {

// What the plant decides for itself.
struct Settings {
  // In whose days plans, schedules and shifts count.
  absl::TimeZone time_zone = absl::UTCTimeZone();
  // A dispatch that leaves less than this part of the quantity behind closes
  // the shipment short instead of splitting off the rest, in millionths: nobody
  // sends a truck for it. 5,000 is 0.5 %.
  int64_t closed_short_tolerance_ppm = 5'000;
  // Rows of one planning file. All of them are held in memory and stored in one
  // transaction; the contract allows no more than a million.
  int64_t plan_import_row_limit = 1'000'000;
  // The same of one file of open orders; the contract allows no more.
  int64_t request_import_row_limit = 100'000;
};

// Adds a flag and an environment variable for each.
void AddFlags(CLI::App& app, const std::string& prefix, Settings& settings);

}  // namespace mtp::order
