#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace mtp::handlers {

// The error of one item of a batch call, for the response: just what the client
// would have seen had the item been a call of its own.
google::rpc::Status ItemError(const absl::Status& status,
                              std::string_view domain,
                              std::string_view correlation_id);

}  // namespace mtp::handlers
