#pragma once

#include <vector>

#include "common/handlers/hearing.h"
#include "processing_service/rows.h"

namespace mtp::processing {

// What Grandpass tells of shipments and schedules. Applying a state twice,
// late or out of order changes nothing.
void AddSync(Commands& commands, Queries& queries);

// How all that Grandpass tells is heard: its revocations and seals, too.
std::vector<handlers::EncodedHearing<Rows>> Hearings();

// Open what a person must settle if the shipment has left though it was
// cancelled, or with more than is wanted. `correlation_id` is of what made it
// so. Its open exceptions are loaded.
void OpenDispatchedAfterCancellation(const Shipment& shipment,
                                     const std::string& correlation_id,
                                     Context& context, Rows& rows);
void OpenDispatchedMoreThanOrdered(const Shipment& shipment,
                                   const std::string& correlation_id,
                                   Context& context, Rows& rows);

// The decisions, for tests.
absl::StatusOr<sync::v1::ApplyShipmentsResponse> DecideApplyShipments(
    const sync::v1::ApplyShipmentsRequest& request, Context& context,
    Rows& rows);
absl::StatusOr<sync::v1::ApplySchedulesResponse> DecideApplySchedules(
    const sync::v1::ApplySchedulesRequest& request, Context& context,
    Rows& rows);

}  // namespace mtp::processing
