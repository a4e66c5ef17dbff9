#pragma once

#include <vector>

#include "processing_service/rows.h"

// Shipments as they leave the site: which wait for goods, whether the goods
// stand ready, what they carry, the dispatch and its correction.
namespace mtp::processing {

void AddOutbound(Commands& commands, Queries& queries);

// What leaves with a shipment, and what shares bags with it: whatever settles
// or undoes a dispatch touches these rows.
void WantShipped(const common::v1::ShipmentKey& key, Rows& rows);

// A bag of which nothing remains is gone once all that was taken from it has
// left in shipments. Settles the bags of these shipments.
void SettleBags(const std::vector<const Shipment*>& shipments, Context& context,
                Rows& rows);

// It has not left after all; why is said beside it.
void TakeBackDispatch(Shipment& shipment);

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
