#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace mtp::handlers {

// Keyset paging: a page token carries the keys of the last row shown, and holds
// for the filter and order it was given for. Opaque to clients.

// How many rows a page has: `page_size`, or 50 when it is 0, never above 1,000.
int64_t PageSize(int32_t page_size);

// The token after a row whose keys are these. `request` is the list request.
std::string NextPageToken(const google::protobuf::Message& request,
                          const std::vector<std::string>& keys);

// The keys in the request's page_token, exactly `count` of them; empty for the
// first page. INVALID_ARGUMENT (PAGE_TOKEN_INVALID) when the token was not
// given for this filter and order.
absl::StatusOr<std::vector<std::string>> PageKeys(
    const google::protobuf::Message& request, size_t count);

// The refusal itself, for keys that are none of the list's.
absl::Status PageTokenInvalid();

}  // namespace mtp::handlers
