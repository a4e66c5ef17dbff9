#pragma once

#include <string_view>

#include "mtp/options/v1/options.pb.h"

namespace mtp::rpc {

// Whether `text` has the form; null when it has, else what it should be, as
// the rest of a sentence about the field ("must be a UUID").
const char* FormatViolation(options::v1::Format format, std::string_view text);

// Whether the bytes are valid UTF-8.
bool IsUtf8(std::string_view bytes);

}  // namespace mtp::rpc
