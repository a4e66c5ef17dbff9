#pragma once

#include "processing_service/rows.h"

// The bags that lay on the site before the service was there, out of a file.
namespace mtp::processing {

void AddStockImports(Commands& commands);

// The decision alone, for tests.
void TouchImportOpeningStock(const v1::ImportOpeningStockRequest& request,
                             Rows& rows);
absl::StatusOr<v1::ImportOpeningStockResponse> DecideImportOpeningStock(
    const v1::ImportOpeningStockRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
