#pragma once

#include "processing_service/rows.h"

// What batches are made after: blendsheets and flavorsheets.
namespace mtp::processing {

void AddRecipes(Commands& commands, Queries& queries);

}  // namespace mtp::processing
