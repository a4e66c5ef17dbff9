#pragma once

#include "processing_service/rows.h"

// Bags that leave the site outside any shipment, and bags that come back.
namespace mtp::processing {

void AddBagDepartures(Commands& commands);

// The decisions; all they look at is in `rows`.
absl::StatusOr<v1::DispatchBagResponse> DecideDispatchBag(
    const v1::DispatchBagRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::ReturnBagResponse> DecideReturnBag(
    const v1::ReturnBagRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
