#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cli/seed/plant.h"

namespace mtp::cli {

// What a scale shows.
inline constexpr int64_t kScaleStepGrams = 20;
// What a scale can show of it.
inline int64_t OnScale(int64_t grams) {
  return grams - grams % kScaleStepGrams;
}

// The work of so many weeks is a plant of scale 1.
inline constexpr int64_t kSeedWeeks = 52;
// The share of week `number` in what these weeks have together.
inline int64_t ShareOf(int64_t total, int64_t number) {
  return (number + 1) * total / kSeedWeeks - number * total / kSeedWeeks;
}

// Makes one week. Every choice comes from its own generator, so that no other
// week's work changes it.
class WeekMaker {
 public:
  WeekMaker(const PlantSettings& settings, int64_t number);
  SeedWeek Make();

 private:
  // A bag that can be used, and what is left of it.
  struct Stock {
    std::string barcode;
    int64_t left = 0;
  };

  // From `low` to `high`, both included.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_() %
                                      static_cast<uint64_t>(high - low + 1));
  }
  bool Chance(int64_t percent) { return Between(1, 100) <= percent; }
  template <typename Span>
  const auto& Any(const Span& span) {
    return span[static_cast<size_t>(
        Between(0, static_cast<int64_t>(span.size()) - 1))];
  }
  // Things of it are still on their way.
  bool IsOpen() const;
  // A moment of a working day, Monday being 0, in seconds so that no two things
  // of a bag are at once.
  absl::Time At(int64_t day, int64_t from_minute, int64_t to_minute);

  processing::v1::BagReceipt WeighIn(int64_t net, int64_t tare,
                                     std::string_view location, absl::Time at);
  // Bags of about `each`, of `total` together.
  std::vector<processing::v1::BagReceipt> WeighOut(int64_t total, int64_t each,
                                                   std::string_view location,
                                                   absl::Time at);
  // Takes `grams` of what is there, the first first; the drafts.
  void Take(std::vector<Stock>& from, int64_t grams, absl::Time at,
            std::vector<processing::v1::AllocationDraft>& drafts);

  void MakeTeas();
  void MakeHerbs();
  void MakeBalances();
  void MakeBlends();
  void MakeBlend(int64_t index, int64_t bags);
  void Judge(SeedBatch& batch, int64_t day);
  Approval Verdict();
  void MakeFlavors();
  void MakeFlavor(int64_t index, bool with_batch);
  void MakeOrders();
  void MakeOrder(int64_t index);

  const int64_t seed_;
  std::mt19937_64 random_;
  // Weeks before the latest.
  int64_t age_ = 0;
  absl::Time monday_;
  SeedWeek week_;
  // By lot, by batch of an allowed sheet.
  std::vector<std::vector<Stock>> tea_, herb_, balance_;
  struct Blended {
    size_t blend;
    std::vector<Stock> bags;
  };
  std::vector<Blended> blended_;
};

}  // namespace mtp::cli
