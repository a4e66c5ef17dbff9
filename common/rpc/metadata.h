#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace mtp::rpc {

// The names of the metadata that the platform itself uses.
inline constexpr char kCorrelationIdKey[] = "x-correlation-id";
inline constexpr char kTraceparentKey[] = "traceparent";
inline constexpr char kAuthorizationKey[] = "authorization";
// The peer passes the call on for somebody: it goes no further, and the
// certificate that it comes with is nobody's.
inline constexpr char kForwardedKey[] = "mtp-forwarded";
// The address of that somebody; believed of the peer only.
inline constexpr char kForwardedForKey[] = "mtp-forwarded-for";

using Metadata = std::vector<std::pair<std::string, std::string>>;

// Whether gRPC takes them: it ends the process over anything else. A key is
// lower-case letters, digits and . _ - and not of the binary kind; a value is
// printable ASCII.
bool IsMetadataKey(std::string_view key);
bool IsMetadataValue(std::string_view value);

// The correlation id a caller sent if it is one (1 to 128 visible ASCII
// characters), else a new one.
std::string TakeCorrelationId(std::string_view sent, absl::Time now);
// A W3C traceparent for a span of our own: in the trace the caller named, or
// in a new one.
std::string ContinueTrace(std::string_view sent);

}  // namespace mtp::rpc
