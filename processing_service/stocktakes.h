#pragma once

#include "processing_service/rows.h"

// Stocktakes: what was counted at a place against the book, and the differences
// booked.
namespace mtp::processing {

void AddStocktakes(Commands& commands);

// The decision; all it looks at is in `rows`.
absl::StatusOr<v1::RecordStocktakeResponse> DecideRecordStocktake(
    const v1::RecordStocktakeRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
