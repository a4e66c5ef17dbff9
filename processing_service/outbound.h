#pragma once

#include "processing_service/rows.h"

// Shipments as they leave the site: which wait for goods, whether the goods
// stand ready, what they carry, the dispatch and its correction.
namespace mtp::processing {

void AddOutbound(Commands& commands, Queries& queries);

// The decisions, for tests.
absl::StatusOr<v1::MarkShipmentReadyResponse> DecideMarkShipmentReady(
    const v1::MarkShipmentReadyRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::MarkShipmentNotReadyResponse> DecideMarkShipmentNotReady(
    const v1::MarkShipmentNotReadyRequest& request, Context& context,
    Rows& rows);
absl::StatusOr<v1::DispatchShipmentsResponse> DecideDispatchShipments(
    const v1::DispatchShipmentsRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::CorrectDispatchResponse> DecideCorrectDispatch(
    const v1::CorrectDispatchRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
