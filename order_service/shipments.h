#pragma once

#include "order_service/rows.h"

// Shipments: what Grandpass says of them, and reading them.
namespace mtp::order {

void AddShipments(Commands& commands, Queries& queries);
void AddShipmentQueries(Queries& queries);

// The decisions, for AddShipments and for tests.
absl::StatusOr<v1::SetShipmentQuantityResponse> DecideSetShipmentQuantity(
    const v1::SetShipmentQuantityRequest& request, Context& context,
    Rows& rows);
absl::StatusOr<v1::ApproveShipmentResponse> DecideApproveShipment(
    const v1::ApproveShipmentRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::DenyShipmentResponse> DecideDenyShipment(
    const v1::DenyShipmentRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::AcceptShipmentResponse> DecideAcceptShipment(
    const v1::AcceptShipmentRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::CancelShipmentResponse> DecideCancelShipment(
    const v1::CancelShipmentRequest& request, Context& context, Rows& rows);

}  // namespace mtp::order
