#pragma once

#include <string>
#include <string_view>

#include "common/base/uuid.h"

namespace mtp::cli {

// SHA-256 in 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view text);

// The same UUID for the same name, in the form of version 8 (RFC 9562): 122
// bits of the name's SHA-256.
Uuid UuidOfName(std::string_view name);

}  // namespace mtp::cli
