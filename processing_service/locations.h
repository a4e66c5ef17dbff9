#pragma once

#include "processing_service/rows.h"

// The places where bags lie.
namespace mtp::processing {

void AddLocations(Commands& commands, Queries& queries);

// The decision alone, for tests.
absl::StatusOr<v1::DeleteLocationResponse> DecideDeleteLocation(
    const v1::DeleteLocationRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
