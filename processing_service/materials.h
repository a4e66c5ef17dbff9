#pragma once

#include "processing_service/rows.h"

// What comes onto the site: tealines, herblines, blendbalances.
namespace mtp::processing {

void AddMaterials(Commands& commands, Queries& queries);

// The decision alone, for tests; it is the same for the three kinds.
absl::StatusOr<v1::DeleteTealineResponse> DecideDeleteTealine(
    const v1::DeleteTealineRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
