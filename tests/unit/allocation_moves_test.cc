#include <catch2/catch.hpp>

#include "processing_service/allocation_rules.h"
#include "processing_service/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

// A bag of tea of 50 kg, 30 kg of which are in the first of two shipments.
struct Site {
  Site() {
    const auto bag =
        seeduwa.Receive(seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 1), 50'000);
    REQUIRE(bag.ok());
    barcode = bag->barcode();
    first = seeduwa.AddShipment(17, 40'000);
    second = seeduwa.AddShipment(18, 25'000);
    blend = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                             v1::TRADER_STATE_UNSPECIFIED, 0);
    v1::AllocateToShipmentRequest request;
    request.set_barcode(barcode);
    first.To(request.mutable_shipment());
    request.set_grams(30'000);
    const auto given = seeduwa.Run(DecideAllocateToShipment, request);
    REQUIRE(given.ok());
    allocation_id = given->allocation().allocation_id();
  }

  absl::StatusOr<v1::MoveAllocationResponse> Move(
      const v1::MoveAllocationRequest& request) {
    return seeduwa.Run(DecideMoveAllocation, request);
  }
  v1::MoveAllocationRequest ToShipment(db::ShipmentKey key, int64_t grams) {
    v1::MoveAllocationRequest request;
    request.set_allocation_id(allocation_id);
    key.To(request.mutable_shipment());
    request.set_grams(grams);
    request.set_remarks("wanted there");
    return request;
  }
  v1::MoveAllocationRequest ToBatch(const Uuid& batch, int64_t grams) {
    v1::MoveAllocationRequest request;
    request.set_allocation_id(allocation_id);
    request.set_batch_id(batch.ToString());
    request.set_grams(grams);
    return request;
  }
  const Bag& bag() { return *seeduwa.rows.bags.Find(*Uuid::Parse(barcode)); }
  const Shipment& shipment(db::ShipmentKey key) {
    return *seeduwa.rows.shipments.Find(key);
  }

  Seeduwa seeduwa;
  std::string barcode;
  db::ShipmentKey first;
  db::ShipmentKey second;
  Uuid blend;
  std::string allocation_id;
};

TEST_CASE("a part of an allocation goes to another shipment, both are told") {
  Site site;
  const size_t marks = site.seeduwa.marks;
  const size_t audited = site.seeduwa.audit_entries;
  const auto moved = site.Move(site.ToShipment(site.second, 20'000));
  REQUIRE(moved.ok());
  CHECK(moved->released().grams() == 10'000);
  CHECK(moved->released().released_grams() == 20'000);
  CHECK(moved->released().state() == v1::ALLOCATION_STATE_ACTIVE);
  CHECK(moved->allocation().grams() == 20'000);
  CHECK(moved->allocation().shipment().request_code() == 18);
  CHECK(moved->allocation().allocation_id() != site.allocation_id);
  CHECK(site.bag().remaining_grams == 20'000);
  CHECK(site.shipment(site.first).allocated_grams == 10'000);
  CHECK(site.shipment(site.second).allocated_grams == 20'000);
  CHECK(site.seeduwa.marks == marks + 2);
  CHECK(site.seeduwa.audit_entries == audited + 2);
  CHECK(moved->sync_token().find('.') != std::string::npos);

  const auto& releases = site.seeduwa.rows.allocation_releases.appended();
  REQUIRE(releases.size() == 1);
  CHECK(releases[0].reason == kMoved);
  CHECK(releases[0].grams == 20'000);
  CHECK(releases[0].remarks == "wanted there");
  REQUIRE(releases[0].moved_to.has_value());
  CHECK(releases[0].moved_to->ToString() ==
        moved->allocation().allocation_id());
}

TEST_CASE("an allocation goes from a shipment into a batch and back, whole") {
  Site site;
  const auto into = site.Move(site.ToBatch(site.blend, 0));
  REQUIRE(into.ok());
  CHECK(into->released().state() == v1::ALLOCATION_STATE_RELEASED);
  CHECK(into->allocation().batch_id() == site.blend.ToString());
  CHECK(site.seeduwa.rows.batches.Find(site.blend)->in_grams == 30'000);
  CHECK(site.shipment(site.first).allocated_grams == 0);
  CHECK_FALSE(into->sync_token().empty());

  const Uuid other = site.seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                           v1::TRADER_STATE_UNSPECIFIED, 0);
  site.allocation_id = into->allocation().allocation_id();
  const auto across = site.Move(site.ToBatch(other, 12'000));
  REQUIRE(across.ok());
  CHECK(across->sync_token().empty());
  CHECK(site.seeduwa.rows.batches.Find(site.blend)->in_grams == 18'000);
  CHECK(site.seeduwa.rows.batches.Find(other)->in_grams == 12'000);
  const auto back = site.Move(site.ToShipment(site.first, 0));
  REQUIRE(back.ok());
  CHECK(back->allocation().grams() == 18'000);
  CHECK(site.bag().remaining_grams == 20'000);
}

TEST_CASE("a move that one of both ends refuses changes nothing") {
  Site site;
  const auto refused = [&](const v1::MoveAllocationRequest& request) {
    const int64_t remaining = site.bag().remaining_grams;
    const int64_t first = site.shipment(site.first).allocated_grams;
    const std::string reason = ReasonOf(site.Move(request));
    CHECK(site.bag().remaining_grams == remaining);
    CHECK(site.shipment(site.first).allocated_grams == first);
    CHECK(site.shipment(site.second).allocated_grams == 0);
    CHECK(site.seeduwa.rows.allocation_releases.appended().empty());
    CHECK(site.seeduwa.rows.allocations.All().size() == 1);
    return reason;
  };
  v1::MoveAllocationRequest nowhere;
  nowhere.set_allocation_id(site.allocation_id);
  CHECK(refused(nowhere) == "INVALID_FIELDS");
  nowhere.set_batch_id("");
  CHECK(refused(nowhere) == "INVALID_FIELDS");
  CHECK(refused(site.ToShipment(site.first, 1)) == "SAME_TARGET");
  CHECK(refused(site.ToShipment({99, 1}, 1)) == "SHIPMENT_NOT_FOUND");
  CHECK(refused(site.ToBatch(site.seeduwa.NewId(), 1)) == "BATCH_NOT_FOUND");
  CHECK(refused(site.ToShipment(site.second, 30'001)) == "ALLOCATION_HAS_LESS");
  CHECK(refused(site.ToShipment(site.second, 0)) == "SHIPMENT_NEEDS_LESS");
  const Uuid flavor = site.seeduwa.AddBatch(v1::MATERIAL_KIND_FLAVORSHEET,
                                            v1::TRADER_STATE_UNSPECIFIED, 0);
  CHECK(refused(site.ToBatch(flavor, 1)) == "NOT_ALLOCATABLE");
  v1::MoveAllocationRequest unknown = site.ToBatch(site.blend, 1);
  unknown.set_allocation_id(site.barcode);
  CHECK(refused(unknown) == "ALLOCATION_NOT_FOUND");

  Bag held = site.bag();
  held.held = true;
  site.seeduwa.rows.bags.Put(held);
  CHECK(refused(site.ToBatch(site.blend, 1)) == "BAG_ON_HOLD");
  held.held = false;
  site.seeduwa.rows.bags.Put(held);

  Shipment gone = site.shipment(site.first);
  gone.dispatched = true;
  gone.status = gone.StatusFromFacts();
  site.seeduwa.rows.shipments.Put(gone);
  CHECK(refused(site.ToBatch(site.blend, 1)) == "SHIPMENT_NOT_OPEN");
}

TEST_CASE("a cell of the matrix is opened and closed for what is to come") {
  Site site;
  const auto set = [&](v1::AllocationTargetKind target, bool allowed,
                       const std::string& etag) {
    v1::SetAllocationRuleRequest request;
    request.set_kind(v1::MATERIAL_KIND_TEALINE);
    request.set_target(target);
    request.set_allowed(allowed);
    request.set_etag(etag);
    return site.seeduwa.Run(DecideSetAllocationRule, request);
  };
  const auto closed =
      set(v1::ALLOCATION_TARGET_KIND_SHIPMENT, /*allowed=*/false, "1");
  REQUIRE(closed.ok());
  CHECK_FALSE(closed->rule().allowed());
  CHECK(closed->rule().etag() == "2");
  CHECK(closed->rule().has_changed_at());
  CHECK(closed->rule().target() == v1::ALLOCATION_TARGET_KIND_SHIPMENT);
  CHECK(ReasonOf(set(v1::ALLOCATION_TARGET_KIND_SHIPMENT, true, "1")) ==
        "ETAG_MISMATCH");
  // What is there stays, and may leave the closed target.
  CHECK(ReasonOf(site.Move(site.ToShipment(site.second, 1))) ==
        "NOT_ALLOCATABLE");
  CHECK(site.Move(site.ToBatch(site.blend, 1)).ok());
  REQUIRE(set(v1::ALLOCATION_TARGET_KIND_SHIPMENT, true, "").ok());
  CHECK(site.Move(site.ToShipment(site.second, 1)).ok());
  REQUIRE(set(v1::ALLOCATION_TARGET_KIND_FLAVORSHEET_BATCH, true, "").ok());
  const Uuid flavor = site.seeduwa.AddBatch(v1::MATERIAL_KIND_FLAVORSHEET,
                                            v1::TRADER_STATE_UNSPECIFIED, 0);
  CHECK(site.Move(site.ToBatch(flavor, 1)).ok());
}

TEST_CASE("nothing is made of itself, whatever the matrix says") {
  Site site;
  v1::SetAllocationRuleRequest open;
  open.set_kind(v1::MATERIAL_KIND_BLENDSHEET);
  open.set_target(v1::ALLOCATION_TARGET_KIND_BLENDSHEET_BATCH);
  open.set_allowed(true);
  REQUIRE(site.seeduwa.Run(DecideSetAllocationRule, open).ok());
  const Uuid batch = site.seeduwa.AddBatch(
      v1::MATERIAL_KIND_BLENDSHEET, v1::TRADER_STATE_UNSPECIFIED, 20'000);
  const auto bag = site.seeduwa.Receive(batch, 10'000);
  REQUIRE(bag.ok());
  v1::AllocateToBatchRequest request;
  request.set_barcode(bag->barcode());
  request.set_batch_id(batch.ToString());
  request.set_grams(1);
  CHECK(ReasonOf(site.seeduwa.Run(DecideAllocateToBatch, request)) ==
        "BATCH_IN_ITSELF");
  request.set_batch_id(site.blend.ToString());
  request.set_grams(200);
  CHECK(site.seeduwa.Run(DecideAllocateToBatch, request).ok());
  // Nor through another batch.
  const auto other = site.seeduwa.Receive(site.blend, 100);
  REQUIRE(other.ok());
  request.set_barcode(other->barcode());
  request.set_batch_id(batch.ToString());
  CHECK(ReasonOf(site.seeduwa.Run(DecideAllocateToBatch, request)) ==
        "BATCH_IN_ITSELF");
}

}  // namespace
}  // namespace mtp::processing
