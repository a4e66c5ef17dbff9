#pragma once

#include "order_service/rows.h"

// Material asked for, within a plan or specially.
namespace mtp::order {

void AddRequests(Commands& commands, Queries& queries);

void TouchCreateRequest(const v1::CreateRequestRequest& request, Rows& rows);
absl::StatusOr<v1::CreateRequestResponse> DecideCreateRequest(
    const v1::CreateRequestRequest& request, Context& context, Rows& rows);

void TouchBatchCreateRequests(const v1::BatchCreateRequestsRequest& request,
                              Rows& rows);
absl::StatusOr<v1::BatchCreateRequestsResponse> DecideBatchCreateRequests(
    const v1::BatchCreateRequestsRequest& request, Context& context,
    Rows& rows);

}  // namespace mtp::order
