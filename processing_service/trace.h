#pragma once

#include "processing_service/rows.h"

// Where things came from and where they went.
namespace mtp::processing {

void AddTrace(Commands& commands, Queries& queries);

}  // namespace mtp::processing
