#include "cli/seed/plant.h"

#include <algorithm>
#include <cmath>

#include "cli/seed/week_maker.h"

namespace mtp::cli {
namespace {

using processing::v1::BagReceipt;

int64_t GrossOf(const std::vector<BagReceipt>& bags) {
  int64_t grams = 0;
  for (const BagReceipt& bag : bags) grams += bag.gross_grams();
  return grams;
}

void CountBatch(const SeedBatch& batch, PlantCounts& counts) {
  ++counts.batches;
  counts.bags += static_cast<int64_t>(batch.out.size());
  counts.gross_grams += GrossOf(batch.out);
  counts.allocations += static_cast<int64_t>(batch.in.size());
}

template <typename Lots>
void CountLots(const Lots& lots, int64_t& count, PlantCounts& counts) {
  count += static_cast<int64_t>(lots.size());
  for (const auto& lot : lots) {
    counts.bags += static_cast<int64_t>(lot.bags.size());
    counts.gross_grams += GrossOf(lot.bags);
  }
}

}  // namespace

void PlantCounts::Add(const PlantCounts& other) {
  tealines += other.tealines;
  herblines += other.herblines;
  blendbalances += other.blendbalances;
  blendsheets += other.blendsheets;
  flavorsheets += other.flavorsheets;
  batches += other.batches;
  bags += other.bags;
  allocations += other.allocations;
  orders += other.orders;
  gross_grams += other.gross_grams;
}

PlantCounts CountsOf(const SeedWeek& week, bool with_orders) {
  PlantCounts counts;
  CountLots(week.teas, counts.tealines, counts);
  CountLots(week.herbs, counts.herblines, counts);
  CountLots(week.balances, counts.blendbalances, counts);
  counts.blendsheets = static_cast<int64_t>(week.blends.size());
  counts.flavorsheets = static_cast<int64_t>(week.flavors.size());
  for (const SeedBlend& blend : week.blends) {
    for (const SeedBatch& batch : blend.batches) CountBatch(batch, counts);
  }
  for (const SeedFlavor& flavor : week.flavors) {
    if (flavor.batch.has_value()) CountBatch(*flavor.batch, counts);
  }
  if (!with_orders) return counts;
  counts.orders = static_cast<int64_t>(week.orders.size());
  for (const SeedOrder& order : week.orders) {
    counts.allocations += static_cast<int64_t>(order.bags.size());
  }
  return counts;
}

int64_t WeekCount(double scale) {
  return std::max<int64_t>(1, std::llround(kSeedWeeks * scale));
}

SeedWeek MakeWeek(const PlantSettings& settings, int64_t number) {
  return WeekMaker(settings, number).Make();
}

}  // namespace mtp::cli
