#pragma once

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "processing_service/rows.h"

// Bags looked up: one, lists, what a scan shows, where they lay.
namespace mtp::processing {

void AddBagQueries(Queries& queries);

// All that scanning these bags shows: kScanStatements statements whose results
// TakeScans reads, beginning at `next`, which it leaves behind them.
inline constexpr size_t kScanStatements = 4;
void AddScans(const std::vector<Uuid>& barcodes, db::Exchange& exchange);
// The same of all bags with an active allocation to a shipment.
void AddScansShipped(const db::ShipmentKey& key, db::Exchange& exchange);
absl::flat_hash_map<Uuid, v1::ScannedBag> TakeScans(const db::Results& results,
                                                    size_t& next);

}  // namespace mtp::processing
