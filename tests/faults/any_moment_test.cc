#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "mtp/order/v1/requests.pb.h"
#include "tests/faults/misfits.h"
#include "tests/faults/plant.h"
#include "tests/faults/seeds.h"
#include "tests/faults/workload.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using Keys = std::set<std::string>;

Keys KeysOf(const Stack& stack, Side side, const std::string& query) {
  Keys keys;
  for (const auto& row : stack.Database(side).Query(query)) keys.insert(row[0]);
  return keys;
}

// What a side knows that nobody can undo, whoever is restored: what has left,
// was accepted or cancelled, and every code that was given.
constexpr const char* kIrreversible[] = {
    "SELECT 'dispatched ' || request_code || '/' || shipment_code FROM "
    "shipment WHERE dispatched",
    "SELECT 'accepted ' || request_code || '/' || shipment_code FROM shipment "
    "WHERE accepted",
    "SELECT 'cancelled ' || request_code || '/' || shipment_code FROM shipment "
    "WHERE cancelled",
    "SELECT 'shipment ' || request_code || '/' || shipment_code || ' of ' || "
    "order_code FROM shipment {told}",
    "SELECT 'schedule ' || schedule_code || ' of ' || order_code FROM "
    "schedule",
};

Keys Irreversible(const Stack& stack, Side side) {
  // What waits for approval or was denied is never told.
  const char* told =
      side == SIDE_ORDER ? "WHERE approval IN ('NONE', 'ALLOWED')" : "";
  Keys all;
  for (const char* query : kIrreversible) {
    all.merge(
        KeysOf(stack, side, absl::StrReplaceAll(query, {{"{told}", told}})));
  }
  return all;
}

// Of `before`, those that a side does not know now.
std::string Forgotten(const Keys& before, const Stack& stack, Side side) {
  const Keys now = Irreversible(stack, side);
  std::vector<std::string> forgotten;
  std::set_difference(before.begin(), before.end(), now.begin(), now.end(),
                      std::back_inserter(forgotten));
  return absl::StrJoin(forgotten, "\n");
}

struct Restored {
  Side side;
  std::string moment;
};

// Random work; in the middle of it the moment to which each side will be
// restored. Its news may still be on its way at the end.
std::vector<Restored> WorkBeforeLoss(Plant& plant, Floor& floor, Book& book,
                                     const std::vector<Side>& sides,
                                     std::mt19937& random) {
  const auto until = [&](size_t deeds) {
    REQUIRE(Eventually([&] { return book.deeds().size() >= deeds; },
                       absl::Minutes(1)));
  };
  const auto some = [&](int least, int most) {
    return static_cast<size_t>(
        std::uniform_int_distribution<int>(least, most)(random));
  };
  std::vector<Restored> restored;
  Workload workload(plant.stack, floor, book, random());
  size_t deeds = book.deeds().size();
  for (const Side side : sides) {
    until(deeds += some(10, 400));
    restored.push_back({side, plant.Now(side)});
  }
  until(deeds + some(50, 400));
  workload.Stop();
  if (some(0, 1) == 0) RequireAgreement(plant.stack);
  return restored;
}

void RequireNewCodes(const Stack& stack, const Floor& floor,
                     const Keys& known) {
  order::v1::CreateRequestRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_request()->set_order_code(floor.order_codes().front());
  request.mutable_request()->set_requirement_grams(1'000);
  request.mutable_request()->set_approval_requested(true);
  const auto made = stack.Call<order::v1::CreateRequestResponse>(
      options::v1::ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.RequestService/CreateRequest", request);
  INFO(made.status().ToString());
  REQUIRE(made.ok());
  const std::string given =
      absl::StrCat("shipment ", made->request().request_code(), "/");
  const auto at = known.lower_bound(given);
  CHECK((at == known.end() || !at->starts_with(given)));
}

void TryRestore(const std::vector<Side>& sides, uint32_t seed) {
  std::mt19937 random(seed);
  Plant plant;
  Stack& stack = plant.stack;
  Book book;
  Floor floor(stack, book);
  RequireAgreement(stack);
  for (const Side side : sides) plant.Of(side).BackUp();
  const std::vector<Restored> restored =
      WorkBeforeLoss(plant, floor, book, sides, random);

  std::map<Side, Keys> before;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    before[side] = Irreversible(stack, side);
  for (const Restored& one : restored) plant.Restore(one.side, one.moment);
  plant.Recover(sides);
  CHECK(BrokenInvariants(stack) == "");

  if (sides.size() == 1) {
    // What the other one knew is known to both.
    const Keys& known = before[PeerOf(sides.front())];
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
      CHECK(Forgotten(known, stack, side) == "");
    RequireNewCodes(stack, floor, known);
    // Nor does either tell people of more than there is, or of less.
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
      CHECK(absl::StrJoin(Misfits(stack, side, true), "\n") == "");
  }
  // Work goes on.
  Story story(stack);
  story.DoAll();
  RequireAgreement(stack);
}

TEST_CASE("a side restored to any moment is in step again, and so are both",
          "[any-moment]") {
  const std::vector<std::vector<Side>> kinds = {
      {SIDE_PROCESSING}, {SIDE_ORDER}, {SIDE_ORDER, SIDE_PROCESSING}};
  const uint32_t first = NumberFromEnvironment("SEED", 1);
  const uint32_t count = NumberFromEnvironment("RESTORES", 3);
  for (uint32_t seed = first; seed < first + count; ++seed) {
    INFO("again: SEED=" << seed << " RESTORES=1 fault_tests '[any-moment]'");
    const std::vector<Side>& sides = kinds[seed % kinds.size()];
    TryRestore(sides, seed);
    std::cout << "restore " << seed << ": "
              << (sides.size() == 2 ? "both sides" : NameOf(sides.front()))
              << ", in step again" << std::endl;
  }
}

}  // namespace
}  // namespace mtp::tests
