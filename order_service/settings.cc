#include "order_service/settings.h"

#include "CLI/CLI.hpp"

namespace mtp::order {

void AddFlags(CLI::App& app, const std::string& prefix, Settings& settings) {
  app.add_option(
         "--closed-short-tolerance-ppm", settings.closed_short_tolerance_ppm,
         "A dispatch that leaves at most this part of the quantity behind, in "
         "millionths, closes the shipment short instead of splitting it")
      ->envname(prefix + "_CLOSED_SHORT_TOLERANCE_PPM")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--plan-import-row-limit", settings.plan_import_row_limit,
                 "Rows of one planning file")
      ->envname(prefix + "_PLAN_IMPORT_ROW_LIMIT")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--request-import-row-limit",
                 settings.request_import_row_limit,
                 "Rows of one file of open orders")
      ->envname(prefix + "_REQUEST_IMPORT_ROW_LIMIT")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
}

}  // namespace mtp::order
