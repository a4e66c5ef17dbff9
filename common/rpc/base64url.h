#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mtp::rpc {

// base64url without padding (RFC 7515). Decoding is strict: one text for one
// value, or nothing.
std::string Base64UrlEncode(std::string_view bytes);
std::optional<std::string> Base64UrlDecode(std::string_view text);

}  // namespace mtp::rpc
