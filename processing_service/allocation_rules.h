#pragma once

#include "processing_service/rows.h"

// The matrix of what may be allocated to what, as data.
namespace mtp::processing {

void AddAllocationRules(Commands& commands, Queries& queries);

// The decision alone, for tests.
absl::StatusOr<v1::SetAllocationRuleResponse> DecideSetAllocationRule(
    const v1::SetAllocationRuleRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
