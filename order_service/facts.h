#pragma once

#include <vector>

#include "common/reconciliation/facts.h"
#include "common/sync/relay.h"
#include "order_service/rows.h"

// What the two sides must agree on, as the order side's tables have it.
namespace mtp::order {

// What is told to Seeduwa: shipments from ORDER_REQUESTED on, schedules, and
// whose tokens are refused.
std::vector<sync::Relay::Route> RelayRoutes();

// These, and the copies of what Seeduwa tells, for comparing.
std::vector<reconciliation::Facts> SharedFacts();

}  // namespace mtp::order
