#pragma once

#include "common/reconciliation/recovery.h"
#include "order_service/rows.h"

namespace mtp::order {

// What the order side takes back from Seeduwa after its database was restored:
// shipments and schedules given since the backup, with what was said of them,
// and whose tokens are refused. Codes go on behind those that were given. What
// cannot be taken back is an exception for a person.
reconciliation::Recovering<Rows> Recovering();

}  // namespace mtp::order
