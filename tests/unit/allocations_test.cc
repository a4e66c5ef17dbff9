#include "processing_service/allocations.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "processing_service/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

v1::AllocateToShipmentRequest ToShipment(std::string barcode,
                                         db::ShipmentKey key, int64_t grams) {
  v1::AllocateToShipmentRequest request;
  request.set_barcode(std::move(barcode));
  key.To(request.mutable_shipment());
  request.set_grams(grams);
  return request;
}

v1::AllocateToBatchRequest ToBatch(std::string barcode, const Uuid& batch,
                                   int64_t grams) {
  v1::AllocateToBatchRequest request;
  request.set_barcode(std::move(barcode));
  request.set_batch_id(batch.ToString());
  request.set_grams(grams);
  return request;
}

v1::ReleaseAllocationRequest Release(std::string allocation_id, int64_t grams) {
  v1::ReleaseAllocationRequest request;
  request.set_allocation_id(std::move(allocation_id));
  request.set_grams(grams);
  return request;
}

v1::MoveAllocationRequest Move(std::string allocation_id, int64_t grams) {
  v1::MoveAllocationRequest request;
  request.set_allocation_id(std::move(allocation_id));
  request.set_grams(grams);
  return request;
}
v1::MoveAllocationRequest Move(std::string allocation_id, const Uuid& batch,
                               int64_t grams) {
  v1::MoveAllocationRequest request = Move(std::move(allocation_id), grams);
  request.set_batch_id(batch.ToString());
  return request;
}
v1::MoveAllocationRequest Move(std::string allocation_id, db::ShipmentKey key,
                               int64_t grams) {
  v1::MoveAllocationRequest request = Move(std::move(allocation_id), grams);
  key.To(request.mutable_shipment());
  return request;
}

std::string ReceiveTea(Seeduwa& seeduwa, int64_t grams) {
  const auto bag =
      seeduwa.Receive(seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 1), grams);
  REQUIRE(bag.ok());
  return bag->barcode();
}

TEST_CASE("a shipment gets no more than it still needs") {
  Seeduwa seeduwa;
  const auto key = seeduwa.AddShipment(17, 30'000);
  const std::string bag = ReceiveTea(seeduwa, 50'000);
  REQUIRE(
      seeduwa.Run(DecideAllocateToShipment, ToShipment(bag, key, 20'000)).ok());
  CHECK(ReasonOf(seeduwa.Run(DecideAllocateToShipment,
                             ToShipment(bag, key, 10'001))) ==
        "SHIPMENT_NEEDS_LESS");
  const auto last =
      seeduwa.Run(DecideAllocateToShipment, ToShipment(bag, key, 10'000));
  REQUIRE(last.ok());
  CHECK(last->shipment().missing_grams() == 0);
  CHECK(last->bag().status() == v1::BAG_STATUS_IN_PROCESS);
  CHECK(last->bag().allocated_grams() == 30'000);
  CHECK(seeduwa.rows.shipments.Find(key)->version == 2);
}

TEST_CASE("a release gives back to the bag and tells Grandpass") {
  Seeduwa seeduwa;
  const auto key = seeduwa.AddShipment(17, 30'000);
  const std::string bag = ReceiveTea(seeduwa, 30'000);
  const auto given =
      seeduwa.Run(DecideAllocateToShipment, ToShipment(bag, key, 30'000));
  REQUIRE(given.ok());
  CHECK(given->bag().status() == v1::BAG_STATUS_PROCESSED);
  const std::string id = given->allocation().allocation_id();

  const auto part = seeduwa.Run(DecideReleaseAllocation, Release(id, 10'000));
  REQUIRE(part.ok());
  CHECK(part->allocation().state() == v1::ALLOCATION_STATE_ACTIVE);
  CHECK(part->allocation().grams() == 20'000);
  CHECK(part->allocation().released_grams() == 10'000);
  CHECK(part->bag().status() == v1::BAG_STATUS_IN_PROCESS);
  CHECK_FALSE(part->sync_token().empty());

  CHECK(ReasonOf(seeduwa.Run(DecideReleaseAllocation, Release(id, 20'001))) ==
        "ALLOCATION_HAS_LESS");
  const auto all = seeduwa.Run(DecideReleaseAllocation, Release(id, 0));
  REQUIRE(all.ok());
  CHECK(all->allocation().state() == v1::ALLOCATION_STATE_RELEASED);
  CHECK(all->allocation().has_released_at());
  CHECK(all->bag().status() == v1::BAG_STATUS_ACCEPTED);
  CHECK(seeduwa.rows.shipments.Find(key)->allocated_grams == 0);
  CHECK(seeduwa.rows.allocation_releases.appended().size() == 2);

  CHECK(ReasonOf(seeduwa.Run(DecideReleaseAllocation, Release(id, 0))) ==
        "ALLOCATION_RELEASED");
  CHECK(ReasonOf(seeduwa.Run(DecideReleaseAllocation, Release(bag, 0))) ==
        "ALLOCATION_NOT_FOUND");
}

TEST_CASE("nothing is released from a shipment that has left") {
  Seeduwa seeduwa;
  const auto key = seeduwa.AddShipment(17, 30'000);
  const auto given =
      seeduwa.Run(DecideAllocateToShipment,
                  ToShipment(ReceiveTea(seeduwa, 30'000), key, 30'000));
  REQUIRE(given.ok());
  Shipment shipment = *seeduwa.rows.shipments.Find(key);
  shipment.dispatched = true;
  shipment.status = shipment.StatusFromFacts();
  seeduwa.rows.shipments.Put(shipment);
  CHECK(ReasonOf(seeduwa.Run(DecideReleaseAllocation,
                             Release(given->allocation().allocation_id(),
                                     0))) == "SHIPMENT_NOT_OPEN");
}

TEST_CASE(
    "an ingredient stays in a batch that is completed or has made too much") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                   v1::TRADER_STATE_UNSPECIFIED, 0);
  const auto given =
      seeduwa.Run(DecideAllocateToBatch,
                  ToBatch(ReceiveTea(seeduwa, 100'000), id, 100'000));
  REQUIRE(given.ok());
  CHECK(given->batch().blend_in_grams() == 100'000);
  REQUIRE(seeduwa.Receive(id, 51'000).ok());
  const std::string allocation = given->allocation().allocation_id();
  CHECK(ReasonOf(seeduwa.Run(DecideReleaseAllocation,
                             Release(allocation, 50'001))) ==
        "BATCH_OUT_EXCEEDS_IN");
  const auto released =
      seeduwa.Run(DecideReleaseAllocation, Release(allocation, 50'000));
  REQUIRE(released.ok());
  CHECK(released->sync_token().empty());
  CHECK(seeduwa.rows.batches.Find(id)->in_grams == 50'000);

  Batch batch = *seeduwa.rows.batches.Find(id);
  batch.state = v1::BATCH_STATE_COMPLETED;
  seeduwa.rows.batches.Put(batch);
  CHECK(ReasonOf(seeduwa.Run(DecideReleaseAllocation,
                             Release(allocation, 1))) == "BATCH_NOT_OPEN");
}

TEST_CASE("what a bag gone by hand gives back does not bring it back") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                   v1::TRADER_STATE_UNSPECIFIED, 0);
  const std::string barcode = ReceiveTea(seeduwa, 10'000);
  const auto given =
      seeduwa.Run(DecideAllocateToBatch, ToBatch(barcode, id, 4'000));
  REQUIRE(given.ok());
  Bag bag = *seeduwa.rows.bags.Find(*Uuid::Parse(barcode));
  bag.dispatched_by_hand = true;
  bag.status = v1::BAG_STATUS_DISPATCHED;
  seeduwa.rows.bags.Put(bag);
  const auto released = seeduwa.Run(
      DecideReleaseAllocation, Release(given->allocation().allocation_id(), 0));
  REQUIRE(released.ok());
  CHECK(released->bag().status() == v1::BAG_STATUS_DISPATCHED);
  CHECK(released->bag().remaining_grams() == 10'000);
}

TEST_CASE("a blend goes to a shipment only when the trader allowed it") {
  const auto [state, reason] = GENERATE(table<v1::TraderState, std::string>({
      {v1::TRADER_STATE_UNSPECIFIED, "BATCH_NOT_ALLOWED"},
      {v1::TRADER_STATE_TRADER_REQUESTED, "BATCH_NOT_ALLOWED"},
      {v1::TRADER_STATE_TRADER_ELEVATED, "BATCH_NOT_ALLOWED"},
      {v1::TRADER_STATE_TRADER_BLOCKED, "BATCH_BLOCKED"},
      {v1::TRADER_STATE_TRADER_ALLOWED, "OK"},
  }));
  Seeduwa seeduwa;
  const auto key = seeduwa.AddShipment(17, 30'000);
  const Uuid blend =
      seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET, state, 10'000);
  const auto bag = seeduwa.Receive(blend, 10'000);
  REQUIRE(bag.ok());
  CHECK(ReasonOf(seeduwa.Run(DecideAllocateToShipment,
                             ToShipment(bag->barcode(), key, 1'000))) ==
        reason);
  const Uuid flavor = seeduwa.AddBatch(v1::MATERIAL_KIND_FLAVORSHEET,
                                       v1::TRADER_STATE_UNSPECIFIED, 0);
  const auto mixed = seeduwa.Run(DecideAllocateToBatch,
                                 ToBatch(bag->barcode(), flavor, 5'000));
  CHECK(ReasonOf(mixed) == (reason == "BATCH_BLOCKED" ? reason : "OK"));
  if (!mixed.ok()) return;
  const auto flavored = seeduwa.Receive(flavor, 5'000);
  REQUIRE(flavored.ok());
  CHECK(ReasonOf(seeduwa.Run(DecideAllocateToShipment,
                             ToShipment(flavored->barcode(), key, 1'000))) ==
        reason);
}

TEST_CASE("in a batch call each allocation is judged after the one before") {
  Seeduwa seeduwa;
  const auto first = seeduwa.AddShipment(17, 30'000);
  const auto second = seeduwa.AddShipment(18, 30'000);
  const std::string bag = ReceiveTea(seeduwa, 50'000);
  v1::BatchAllocateRequest request;
  const auto add = [&](const db::ShipmentKey& key, int64_t grams) {
    auto* draft = request.add_allocations();
    draft->set_barcode(bag);
    key.To(draft->mutable_shipment());
    draft->set_grams(grams);
  };
  add(first, 30'000);
  add(first, 1);
  add(second, 20'001);
  add(second, 20'000);
  add({99, 1}, 1);
  const auto response = seeduwa.Run(DecideBatchAllocate, request);
  REQUIRE(response.ok());
  REQUIRE(response->results_size() == 5);
  CHECK(response->results(0).has_allocation());
  CHECK(response->results(1).error().code() == 9);
  CHECK(response->results(2).error().code() == 9);
  CHECK(response->results(3).allocation().grams() == 20'000);
  CHECK(response->results(4).error().code() == 5);
  REQUIRE(response->shipments_size() == 2);
  CHECK(response->shipments(0).missing_grams() == 0);
  CHECK(response->shipments(1).allocated_grams() == 20'000);
  const auto marks = sync::ParseSyncToken(response->sync_token());
  REQUIRE(marks.ok());
  REQUIRE(marks->size() == 2);
  CHECK((*marks)[0].key == "17/1");
  CHECK((*marks)[1].key == "18/1");
}

// --- whatever the order of calls

// Every amount there is, as text: what a refused call must leave as it was.
std::string AllAmounts(const Rows& rows) {
  std::string text;
  for (const Bag* bag : rows.bags.All()) {
    absl::StrAppend(&text, bag->barcode.ToString(), " ", bag->remaining_grams,
                    " ", bag->status, "\n");
  }
  for (const Batch* batch : rows.batches.All()) {
    absl::StrAppend(&text, batch->in_grams, " ", batch->out_grams, " ",
                    batch->out_bags, " ", batch->version, "\n");
  }
  for (const Shipment* shipment : rows.shipments.All()) {
    absl::StrAppend(&text, shipment->allocated_grams, " ", shipment->version,
                    "\n");
  }
  for (const Allocation* allocation : rows.allocations.All()) {
    absl::StrAppend(&text, allocation->grams, " ", allocation->released_grams,
                    "\n");
  }
  return absl::StrCat(text, rows.allocation_releases.appended().size(), " ",
                      rows.bag_moves.appended().size());
}

// What the book must say at every moment.
void CheckBook(const Rows& rows) {
  std::map<Uuid, int64_t> of_bag;
  std::map<Uuid, int64_t> into_batch;
  std::map<db::ShipmentKey, int64_t> into_shipment;
  std::map<Uuid, int64_t> released;
  for (const AllocationRelease& release : rows.allocation_releases.appended()) {
    released[release.allocation_id] += release.grams;
  }
  for (const Allocation* allocation : rows.allocations.All()) {
    REQUIRE(allocation->grams >= 0);
    REQUIRE(allocation->active() == (allocation->grams > 0));
    REQUIRE(allocation->released_grams == released[allocation->allocation_id]);
    of_bag[allocation->barcode] += allocation->grams;
    if (allocation->batch_id.has_value()) {
      into_batch[*allocation->batch_id] += allocation->grams;
    } else {
      into_shipment[*allocation->shipment()] += allocation->grams;
    }
  }
  std::map<Uuid, int64_t> out_of_batch;
  for (const Bag* bag : rows.bags.All()) {
    REQUIRE(bag->net_grams == bag->remaining_grams + of_bag[bag->barcode] +
                                  bag->written_off_grams);
    REQUIRE(bag->remaining_grams >= 0);
    REQUIRE(bag->Shown().allocated_grams() == of_bag[bag->barcode]);
    REQUIRE(bag->status == (bag->remaining_grams == 0 ? v1::BAG_STATUS_PROCESSED
                            : bag->remaining_grams == bag->net_grams
                                ? v1::BAG_STATUS_ACCEPTED
                                : v1::BAG_STATUS_IN_PROCESS));
    if (bag->batch_id.has_value())
      out_of_batch[*bag->batch_id] += bag->net_grams;
  }
  for (const Batch* batch : rows.batches.All()) {
    REQUIRE(batch->in_grams ==
            batch->opening_grams + into_batch[batch->batch_id]);
    REQUIRE(batch->out_grams == out_of_batch[batch->batch_id]);
    REQUIRE(batch->out_grams <= batch->OutLimitGrams());
  }
  for (const Shipment* shipment : rows.shipments.All()) {
    REQUIRE(shipment->allocated_grams == into_shipment[shipment->key()]);
    REQUIRE(shipment->allocated_grams <= shipment->quantity_grams);
  }
}

// Calls at random, many of which must be refused.
class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {
    blend_ = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                              v1::TRADER_STATE_TRADER_ALLOWED, 40'000);
    flavor_ = seeduwa.AddBatch(v1::MATERIAL_KIND_FLAVORSHEET,
                               v1::TRADER_STATE_UNSPECIFIED, 0);
    shipments_ = {seeduwa.AddShipment(1, 90'000),
                  seeduwa.AddShipment(2, 30'000)};
    for (const MaterialKind kind :
         {v1::MATERIAL_KIND_TEALINE, v1::MATERIAL_KIND_HERBLINE,
          v1::MATERIAL_KIND_BLENDBALANCE}) {
      const Uuid item = seeduwa.AddItem(kind);
      for (int i = 0; i < 3; ++i) REQUIRE(seeduwa.Receive(item, 30'000).ok());
    }
  }

  // One call; whether it was done.
  bool Step() {
    switch (Below(7)) {
      case 0:
        return seeduwa
            .Run(DecideAllocateToShipment,
                 ToShipment(AnyBag(), AnyShipment(), AnyGrams()))
            .ok();
      case 1:
        return seeduwa
            .Run(DecideAllocateToBatch,
                 ToBatch(AnyBag(), AnyBatch(), AnyGrams()))
            .ok();
      case 2:
      case 3:
        return seeduwa
            .Run(DecideReleaseAllocation,
                 Release(AnyAllocation(), Below(3) == 0 ? 0 : AnyGrams()))
            .ok();
      case 4:
        return seeduwa.Receive(AnyBatch(), AnyGrams()).ok();
      case 5:
        return seeduwa
            .Run(DecideMoveAllocation,
                 Below(2) == 0 ? Move(AnyAllocation(), AnyBatch(), AnyGrams())
                               : Move(AnyAllocation(), AnyShipment(),
                                      Below(2) == 0 ? 0 : AnyGrams()))
            .ok();
      default:
        return Several();
    }
  }

  Seeduwa seeduwa;

 private:
  size_t Below(size_t limit) { return random_() % limit; }
  int64_t AnyGrams() { return 1 + static_cast<int64_t>(Below(20'000)); }
  Uuid AnyBatch() { return Below(2) == 0 ? blend_ : flavor_; }
  db::ShipmentKey AnyShipment() { return shipments_[Below(shipments_.size())]; }
  std::string AnyBag() {
    const auto bags = seeduwa.rows.bags.All();
    return bags[Below(bags.size())]->barcode.ToString();
  }
  std::string AnyAllocation() {
    const auto all = seeduwa.rows.allocations.All();
    return (all.empty() ? blend_ : all[Below(all.size())]->allocation_id)
        .ToString();
  }
  bool Several() {
    v1::BatchAllocateRequest request;
    for (size_t i = 0; i < 4; ++i) {
      auto* draft = request.add_allocations();
      draft->set_barcode(AnyBag());
      draft->set_grams(AnyGrams());
      if (Below(2) == 0) {
        draft->set_batch_id(AnyBatch().ToString());
      } else {
        AnyShipment().To(draft->mutable_shipment());
      }
    }
    const auto response = seeduwa.Run(DecideBatchAllocate, request);
    REQUIRE(response.ok());
    for (const auto& result : response->results()) {
      if (result.has_allocation()) return true;
    }
    return false;
  }

  std::mt19937 random_;
  Uuid blend_;
  Uuid flavor_;
  std::vector<db::ShipmentKey> shipments_;
};

TEST_CASE(
    "weight is conserved and no limit is broken, whatever the order of calls") {
  const auto seed = GENERATE(range(1u, 31u));
  Chance chance(seed);
  const Rows& rows = chance.seeduwa.rows;
  size_t done = 0;
  size_t refused = 0;
  for (int step = 0; step < 200; ++step) {
    const std::string before = AllAmounts(rows);
    if (chance.Step()) {
      ++done;
    } else {
      ++refused;
      REQUIRE(AllAmounts(rows) == before);
    }
    CheckBook(rows);
  }
  INFO("seed " << seed << ": " << done << " done, " << refused << " refused");
  CHECK(done > 20);
  CHECK(refused > 20);
}

}  // namespace
}  // namespace mtp::processing
