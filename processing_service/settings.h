#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace CLI {
class App;
}

namespace mtp::processing {

// What the plant decides for itself.
struct Settings {
  // In whose days plans, schedules, shifts and dashboards count.
  absl::TimeZone time_zone = absl::UTCTimeZone();
  // How much more than its ingredients may come out of a batch, in millionths:
  // scales differ and tea takes up moisture. 20,000 is 2 %.
  int64_t batch_out_tolerance_ppm = 20'000;
  // The most that one write-off may take without SEEDUWA_ADMIN: a spilt bag is
  // looked at by somebody else.
  int64_t write_off_limit_grams = 10'000;
  // Rows of one file of opening stock. All of them are held in memory and
  // stored in one transaction; the contract allows no more than 200,000.
  int64_t stock_import_row_limit = 200'000;
  // How often Grandpass is asked for the keys of its tokens; less than it
  // publishes a key before it signs with it.
  int grandpass_keys_seconds = 10;
  // What labels and papers are written in, asked in this order for each
  // character: the scripts of Europe, then Sinhala and Tamil.
  std::vector<std::string> fonts = {
      "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
      "/usr/share/fonts/truetype/noto/NotoSansSinhala-Regular.ttf",
      "/usr/share/fonts/truetype/noto/NotoSansTamil-Regular.ttf"};
};

// Adds a flag and an environment variable for each.
void AddFlags(CLI::App& app, const std::string& prefix, Settings& settings);

}  // namespace mtp::processing
