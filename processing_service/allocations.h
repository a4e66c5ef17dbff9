#pragma once

#include "processing_service/rows.h"

// Parts of bags: into batches and into shipments, and back.
namespace mtp::processing {

void AddAllocations(Commands& commands, Queries& queries);

// The decisions alone, for tests.
absl::StatusOr<v1::AllocateToShipmentResponse> DecideAllocateToShipment(
    const v1::AllocateToShipmentRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::AllocateToBatchResponse> DecideAllocateToBatch(
    const v1::AllocateToBatchRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::BatchAllocateResponse> DecideBatchAllocate(
    const v1::BatchAllocateRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::ReleaseAllocationResponse> DecideReleaseAllocation(
    const v1::ReleaseAllocationRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::MoveAllocationResponse> DecideMoveAllocation(
    const v1::MoveAllocationRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
