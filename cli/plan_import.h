#pragma once

#include <string>

#include "absl/status/status.h"
#include "cli/session.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/order/v1/plans.pb.h"

namespace mtp::cli {

// Streams a planning file to the order service, with a progress bar where a
// terminal can show it.
absl::Status ImportPlanFile(Session& session, options::v1::Role role,
                            const std::string& path, bool validate_only,
                            order::v1::ImportPlansResponse& response);

}  // namespace mtp::cli
