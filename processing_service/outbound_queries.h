#pragma once

#include "processing_service/rows.h"

// Shipments looked up: those that wait for goods, what they carry.
namespace mtp::processing {

void AddOutboundQueries(Queries& queries);

}  // namespace mtp::processing
