#pragma once

#include "processing_service/rows.h"

// How batches are read: one whole, and the lists.
namespace mtp::processing {

void AddBatchQueries(Queries& queries);

}  // namespace mtp::processing
