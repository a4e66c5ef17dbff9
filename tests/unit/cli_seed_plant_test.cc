#include <map>
#include <set>

#include "catch2/catch.hpp"
#include "cli/seed/plant.h"
#include "common/base/protos.h"

namespace mtp::cli {
namespace {

const absl::CivilDay kUntil(2026, 11, 1);

PlantSettings Settings(double scale = 1, int64_t seed = 1) {
  return {.seed = seed, .scale = scale, .until = kUntil};
}

// All that a week says, as text.
std::string TextOf(const SeedWeek& week) {
  std::string text;
  const auto add = [&text](const google::protobuf::Message& message) {
    text += message.DebugString();
  };
  const auto add_batch = [&](const SeedBatch& batch) {
    for (const auto& in : batch.in) add(in);
    for (const auto& out : batch.out) add(out);
    add(batch.measurement);
    text += absl::FormatTime(batch.opened_at);
  };
  for (const auto& lot : week.teas) {
    add(lot.request);
    for (const auto& bag : lot.bags) add(bag);
  }
  for (const auto& blend : week.blends) {
    add(blend.request);
    for (const auto& batch : blend.batches) add_batch(batch);
  }
  for (const auto& flavor : week.flavors) {
    add(flavor.request);
    if (flavor.batch.has_value()) add_batch(*flavor.batch);
  }
  for (const auto& order : week.orders) {
    add(order.request);
    for (const auto& draft : order.bags) add(draft);
  }
  return text;
}

TEST_CASE("scale 1 is the plant of the papers") {
  REQUIRE(WeekCount(1) == 52);
  PlantCounts counts;
  for (int64_t i = 0; i < WeekCount(1); ++i) {
    counts.Add(CountsOf(MakeWeek(Settings(), i)));
  }
  CHECK(counts.tealines == 541);
  CHECK(counts.blendsheets == 818);
  CHECK(counts.flavorsheets == 1401);
  CHECK(counts.herblines == 245);
  int64_t invoiced = 0;
  for (int64_t i = 0; i < WeekCount(1); ++i) {
    for (const TeaLot& lot : MakeWeek(Settings(), i).teas) {
      invoiced += lot.request.tealine().bag_count();
    }
  }
  // About forty each.
  CHECK(invoiced / counts.tealines >= 38);
  CHECK(invoiced / counts.tealines <= 42);
}

TEST_CASE("the same seed makes the same plant, another one another") {
  for (const int64_t week : {0, 7, 51, 60}) {
    CHECK(TextOf(MakeWeek(Settings(), week)) ==
          TextOf(MakeWeek(Settings(), week)));
    CHECK(TextOf(MakeWeek(Settings(1, 2), week)) !=
          TextOf(MakeWeek(Settings(), week)));
  }
}

TEST_CASE("a larger scale adds to a smaller one") {
  CHECK(WeekCount(0.001) == 1);
  CHECK(WeekCount(0.5) == 26);
  CHECK(WeekCount(3) == 156);
  CHECK(TextOf(MakeWeek(Settings(0.1), 3)) ==
        TextOf(MakeWeek(Settings(10), 3)));
}

TEST_CASE("a week's history lies in the year before the day, in its order") {
  const absl::Time until = absl::FromCivil(kUntil, absl::UTCTimeZone());
  for (const int64_t number : {0, 1, 20, 51, 90}) {
    const SeedWeek week = MakeWeek(Settings(2), number);
    std::map<std::string, absl::Time> weighed;
    const auto in_year = [&](absl::Time at) {
      CHECK(at < until);
      CHECK(at >= until - absl::Hours(24 * 365));
    };
    const auto weigh = [&](const processing::v1::BagReceipt& bag) {
      const absl::Time at = FromProto(bag.occurred_at());
      in_year(at);
      CHECK(weighed.emplace(bag.barcode(), at).second);
      CHECK(bag.gross_grams() > bag.tare_grams());
    };
    const auto use = [&](const processing::v1::AllocationDraft& draft) {
      const absl::Time at = FromProto(draft.occurred_at());
      in_year(at);
      REQUIRE(weighed.contains(draft.barcode()));
      CHECK(weighed.at(draft.barcode()) < at);
    };
    for (const auto& lot : week.teas) {
      for (const auto& bag : lot.bags) weigh(bag);
    }
    for (const auto& lot : week.herbs) {
      for (const auto& bag : lot.bags) weigh(bag);
    }
    for (const auto& lot : week.balances) {
      for (const auto& bag : lot.bags) weigh(bag);
    }
    for (const auto& blend : week.blends) {
      for (const auto& batch : blend.batches) {
        for (const auto& draft : batch.in) use(draft);
        for (const auto& bag : batch.out) weigh(bag);
      }
    }
    for (const auto& flavor : week.flavors) {
      if (!flavor.batch.has_value()) continue;
      for (const auto& draft : flavor.batch->in) use(draft);
      for (const auto& bag : flavor.batch->out) weigh(bag);
    }
    for (const auto& order : week.orders) {
      for (const auto& draft : order.bags) use(draft);
      in_year(order.accepted_at);
    }
  }
}

TEST_CASE("no bag of the plant gives more than it holds, no batch makes more") {
  const int64_t number = GENERATE(0, 13, 26, 51);
  const SeedWeek week = MakeWeek(Settings(), number);
  std::map<std::string, int64_t> left;
  const auto weigh = [&](const processing::v1::BagReceipt& bag) {
    left[bag.barcode()] = bag.gross_grams() - bag.tare_grams();
    return left[bag.barcode()];
  };
  const auto use = [&](const processing::v1::AllocationDraft& draft) {
    CHECK(draft.grams() > 0);
    CHECK((left[draft.barcode()] -= draft.grams()) >= 0);
    return draft.grams();
  };
  for (const auto& lot : week.teas) {
    CHECK(static_cast<int64_t>(lot.bags.size()) <=
          lot.request.tealine().bag_count());
    for (const auto& bag : lot.bags) weigh(bag);
  }
  for (const auto& lot : week.herbs) {
    for (const auto& bag : lot.bags) {
      weigh(bag);
      CHECK(bag.location().find("Herb") == 0);
    }
  }
  for (const auto& lot : week.balances) {
    int64_t grams = 0;
    for (const auto& bag : lot.bags) grams += weigh(bag);
    if (lot.request.blendbalance().has_expected_grams()) {
      CHECK(grams <= lot.request.blendbalance().expected_grams());
    }
  }
  const auto mix = [&](const SeedBatch& batch) {
    int64_t balance = 0;
    for (const auto& draft : batch.in) balance += use(draft);
    for (const auto& bag : batch.out) balance -= weigh(bag);
    CHECK(balance >= 0);
  };
  for (const auto& blend : week.blends) {
    CHECK(static_cast<int64_t>(blend.batches.size()) ==
          blend.request.blendsheet().batch_count());
    for (const auto& batch : blend.batches) mix(batch);
  }
  for (const auto& flavor : week.flavors) {
    if (flavor.batch.has_value()) mix(*flavor.batch);
  }
  for (const auto& order : week.orders) {
    int64_t grams = 0;
    for (const auto& draft : order.bags) grams += use(draft);
    CHECK(grams <= order.request.request().requirement_grams());
  }
  // Said last, it says that the week is whole.
  REQUIRE_FALSE(week.flavors.empty());
  CHECK_FALSE(week.flavors.back().batch.has_value());
}

}  // namespace
}  // namespace mtp::cli
