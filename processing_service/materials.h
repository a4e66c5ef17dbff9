#pragma once

#include "processing_service/rows.h"

// What comes onto the site: tealines, herblines, blendbalances.
namespace mtp::processing {

void AddMaterials(Commands& commands, Queries& queries);

}  // namespace mtp::processing
