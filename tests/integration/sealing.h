#pragma once

#include <string>

#include "common/seals/sealer.h"

namespace mtp::tests {

// A sealer that a test runs itself: it seals whatever is there, at once.
inline seals::Sealer::Options QuickSealer(const std::string& conninfo) {
  seals::Sealer::Options options;
  options.database.conninfo = conninfo;
  options.database.application_name = "sealer";
  options.interval = absl::ZeroDuration();
  options.look_interval = absl::Milliseconds(5);
  return options;
}

}  // namespace mtp::tests
