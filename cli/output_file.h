#pragma once

#include <string>

#include "absl/status/status.h"

namespace mtp::cli {

// Writes a file, in place of one that may be there. INVALID_ARGUMENT in words
// for people: it cannot be written.
absl::Status WriteFile(const std::string& path, const std::string& content);

}  // namespace mtp::cli
