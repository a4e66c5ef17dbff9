#include "processing_service/settings.h"

#include "CLI/CLI.hpp"

namespace mtp::processing {

void AddFlags(CLI::App& app, const std::string& prefix, Settings& settings) {
  app.add_option(
         "--batch-out-tolerance-ppm", settings.batch_out_tolerance_ppm,
         "How much more than went in may come out of a batch, in millionths")
      ->envname(prefix + "_BATCH_OUT_TOLERANCE_PPM")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option(
         "--write-off-limit-grams", settings.write_off_limit_grams,
         "The most that one write-off or stocktake line may take "
         "without SEEDUWA_ADMIN, in grams; what a bag lost while it was "
         "away is not limited")
      ->envname(prefix + "_WRITE_OFF_LIMIT_GRAMS")
      ->check(CLI::Range(0, 10'000'000))
      ->capture_default_str();
  app.add_option("--stock-import-row-limit", settings.stock_import_row_limit,
                 "Rows of one file of opening stock")
      ->envname(prefix + "_STOCK_IMPORT_ROW_LIMIT")
      ->check(CLI::Range(1, 200'000))
      ->capture_default_str();
  app.add_option("--grandpass-keys-seconds", settings.grandpass_keys_seconds,
                 "How often Grandpass is asked for the keys of its tokens; "
                 "less than its --signing-key-lead-seconds")
      ->envname(prefix + "_GRANDPASS_KEYS_SECONDS")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--fonts", settings.fonts,
                 "Font files that labels and papers are written in, asked in "
                 "this order for each character")
      ->envname(prefix + "_FONTS")
      ->delimiter(',')
      ->capture_default_str();
}

}  // namespace mtp::processing
