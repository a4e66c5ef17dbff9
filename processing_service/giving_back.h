#pragma once

#include <string>
#include <vector>

#include "processing_service/rows.h"

// What a shipment has, and how it goes back when less is wanted.
namespace mtp::processing {

// The loaded active allocations of a shipment, by barcode, then by allocation:
// the order of its manifest.
std::vector<const Allocation*> ActiveAllocations(const Rows& rows,
                                                 const db::ShipmentKey& key);

// What could be given back: all that is not in parcels.
int64_t GivableGrams(const Shipment& shipment, const Rows& rows);

// Gives so much back to the bags, newest allocation first, the last one in
// part, keeps who got what and tells Grandpass. At most GivableGrams. The
// shipment's allocations and their bags are loaded. `correlation_id` is of the
// call that is the cause. Returns the sync token.
std::string GiveBack(Shipment& shipment, int64_t grams,
                     const std::string& correlation_id, Context& context,
                     Rows& rows);

}  // namespace mtp::processing
