#pragma once

#include <vector>

#include "common/reconciliation/facts.h"
#include "common/sync/relay.h"
#include "processing_service/rows.h"

// What the two sides must agree on, as Seeduwa's tables have it.
namespace mtp::processing {

// What is told to Grandpass: the progress of shipments and of schedules.
std::vector<sync::Relay::Route> RelayRoutes();

// These, and the copies of what Grandpass tells, for comparing.
std::vector<reconciliation::Facts> SharedFacts();

}  // namespace mtp::processing
