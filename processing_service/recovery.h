#pragma once

#include "common/reconciliation/recovery.h"
#include "processing_service/rows.h"

namespace mtp::processing {

// What Seeduwa takes back from Grandpass after its database was restored: what
// Grandpass told since, and of its own word the dispatches, for what has left
// has left. Which bags a lost allocation was made of nobody knows: that is an
// exception for a person, and so are lost parcels.
reconciliation::Recovering<Rows> Recovering();

}  // namespace mtp::processing
