#pragma once

#include "processing_service/rows.h"

// Parcels: parts of accepted shipments, given to the schedules of Grandpass.
namespace mtp::processing {

void AddParcels(Commands& commands, Queries& queries);

// The decisions, for tests.
absl::StatusOr<v1::CreateParcelResponse> DecideCreateParcel(
    const v1::CreateParcelRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::ReleaseParcelResponse> DecideReleaseParcel(
    const v1::ReleaseParcelRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
