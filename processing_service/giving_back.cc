#include "processing_service/giving_back.h"

#include <algorithm>

#include "common/base/test_points.h"
#include "common/sync/outbox.h"

namespace mtp::processing {
namespace {

int64_t Free(const Allocation& allocation) {
  return allocation.grams - allocation.parcelled_grams;
}

}  // namespace

std::vector<const Allocation*> ActiveAllocations(const Rows& rows,
                                                 const db::ShipmentKey& key) {
  std::vector<const Allocation*> found;
  for (const Allocation* allocation : rows.allocations.All()) {
    if (allocation->active() && allocation->shipment() == key)
      found.push_back(allocation);
  }
  std::sort(found.begin(), found.end(),
            [](const Allocation* a, const Allocation* b) {
              return std::tie(a->barcode, a->allocation_id) <
                     std::tie(b->barcode, b->allocation_id);
            });
  return found;
}

int64_t GivableGrams(const Shipment& shipment, const Rows& rows) {
  int64_t grams = shipment.recovered_grams;
  for (const Allocation* allocation : ActiveAllocations(rows, shipment.key())) {
    grams += Free(*allocation);
  }
  return grams;
}

std::string GiveBack(Shipment& shipment, int64_t grams,
                     const std::string& correlation_id, Context& context,
                     Rows& rows) {
  std::vector<const Allocation*> newest_first =
      ActiveAllocations(rows, shipment.key());
  std::sort(newest_first.begin(), newest_first.end(),
            [](const Allocation* a, const Allocation* b) {
              return std::tie(b->allocated_at, b->allocation_id) <
                     std::tie(a->allocated_at, a->allocation_id);
            });
  int64_t left = grams;
  for (const Allocation* found : newest_first) {
    const int64_t given = std::min(left, Free(*found));
    if (given == 0) continue;
    Allocation& allocation = rows.allocations.Edit(*found);
    allocation.Release(given, context.now());
    Bag& bag = rows.bags.Edit(*rows.bags.Find(allocation.barcode));
    if (!Planted("weight-not-given-back")) bag.GiveBack(given);
    rows.allocation_releases.Append(
        {.allocation_id = allocation.allocation_id,
         .grams = given,
         .reason = std::string(kGivenBack),
         .released_by = context.caller().subject,
         .released_by_username = context.caller().username,
         .released_by_role = context.caller().role,
         .occurred_at = context.now(),
         .recorded_at = context.now(),
         .correlation_id = correlation_id});
    context.Audit("bag", bag.barcode.ToString(), "given_back",
                  {{"shipment", shipment.key().Text()},
                   {"grams", given},
                   {"allocation_id", allocation.allocation_id.ToString()}});
    left -= given;
    if (left == 0) break;
  }
  // Nobody knows the bags of what was taken back from the peer after a restore.
  shipment.recovered_grams -= left;
  shipment.allocated_grams -= grams;
  shipment.Changed(context.now());
  context.Audit(
      "shipment", shipment.key().Text(), "given_back",
      {{"grams", grams}, {"allocated_grams", shipment.allocated_grams}});
  return context.Tell(sync::kShipmentProgress, shipment.key().Text(),
                      shipment.version);
}

}  // namespace mtp::processing
