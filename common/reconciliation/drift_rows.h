#pragma once

#include <string_view>

#include "common/db/connection.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::reconciliation {

// What a select of sync.drift reads, and the drift in such a row.
extern const std::string_view kDriftColumns;
ops::v1::Drift ReadDrift(const db::Row& row);

}  // namespace mtp::reconciliation
