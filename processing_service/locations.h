#pragma once

#include "processing_service/rows.h"

// The places where bags lie.
namespace mtp::processing {

void AddLocations(Commands& commands, Queries& queries);

}  // namespace mtp::processing
