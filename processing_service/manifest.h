#pragma once

#include <string>
#include <vector>

#include "processing_service/allocation_rows.h"

// What a shipment carries: its active allocations by barcode, then by
// allocation, a line each.
namespace mtp::processing {

// SHA-256 of the manifest's canonical text, as the contract has it at
// ShipmentDispatch.manifest_digest.
std::string ManifestDigest(const std::vector<const Allocation*>& lines);

// How many bags it is.
int64_t BagCount(const std::vector<const Allocation*>& lines);

}  // namespace mtp::processing
