#pragma once

#include "processing_service/rows.h"

// Bags: weighed in, moved, looked up.
namespace mtp::processing {

void AddBags(Commands& commands, Queries& queries);

// The decisions alone, for tests.
absl::StatusOr<v1::ReceiveBagResponse> DecideReceiveBag(
    const v1::ReceiveBagRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::BatchReceiveBagsResponse> DecideBatchReceiveBags(
    const v1::BatchReceiveBagsRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::MoveBagResponse> DecideMoveBag(
    const v1::MoveBagRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
