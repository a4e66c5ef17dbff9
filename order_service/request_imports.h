#pragma once

#include "order_service/rows.h"

// The open orders of an old system, out of a file.
namespace mtp::order {

void AddRequestImports(Commands& commands, Queries& queries);

// The decision alone, for tests.
void TouchImportOpenRequests(const v1::ImportOpenRequestsRequest& request,
                             Rows& rows);
absl::StatusOr<v1::ImportOpenRequestsResponse> DecideImportOpenRequests(
    const v1::ImportOpenRequestsRequest& request, Context& context, Rows& rows);

}  // namespace mtp::order
