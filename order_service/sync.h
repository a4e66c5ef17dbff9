#pragma once

#include <vector>

#include "common/handlers/hearing.h"
#include "order_service/rows.h"

// The link to Seeduwa: taking its word on shipments and schedules.
namespace mtp::order {

// What Seeduwa tells: the progress of shipments and of schedules. Applying a
// state twice, late or out of order changes nothing.
void AddSync(Commands& commands, Queries& queries);

// How all that Seeduwa tells is heard, its seals too.
std::vector<handlers::EncodedHearing<Rows>> Hearings();

// The decisions, for AddSync and for tests.
absl::StatusOr<mtp::sync::v1::ApplyShipmentProgressResponse>
DecideApplyShipmentProgress(
    const mtp::sync::v1::ApplyShipmentProgressRequest& request,
    Context& context, Rows& rows);
absl::StatusOr<mtp::sync::v1::ApplyScheduleProgressResponse>
DecideApplyScheduleProgress(
    const mtp::sync::v1::ApplyScheduleProgressRequest& request,
    Context& context, Rows& rows);

}  // namespace mtp::order
