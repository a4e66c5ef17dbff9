#pragma once

#include "processing_service/rows.h"

// Allocations looked up, and the matrix of what may go where.
namespace mtp::processing {

void AddAllocationQueries(Queries& queries);

}  // namespace mtp::processing
