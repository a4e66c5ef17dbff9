#pragma once

#include <string_view>

#include "common/db/connection.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::reconciliation {

// What a select of sync.drift reads, and the drift in such a row.
inline constexpr std::string_view kDriftColumns = R"(
  drift_id, run_id, kind, key, owner, cause, differences::text, found_at, repaired_at,
  coalesce(repaired_version, 0)
)";
ops::v1::Drift ReadDrift(const db::Row& row);

}  // namespace mtp::reconciliation
