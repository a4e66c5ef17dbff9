#pragma once

#include "common/handlers/queries.h"

// What comparing the two sides has found to differ, as operators see it.
namespace mtp::operations {

void AddListDrift(handlers::Queries& queries);

}  // namespace mtp::operations
