#include "processing_service/bag_departures.h"

#include <catch2/catch.hpp>

#include "processing_service/bag_corrections.h"
#include "processing_service/errors.h"
#include "processing_service/outbound.h"
#include "processing_service/parcels.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

constexpr int64_t kTare = 500;

// A plant whose bags come and go.
struct Yard : Seeduwa {
  std::string NewBag(int64_t grams) {
    return Receive(AddItem(v1::MATERIAL_KIND_TEALINE, 9), grams)->barcode();
  }

  std::string Allocate(const std::string& barcode, const db::ShipmentKey& key,
                       int64_t grams) {
    v1::AllocateToShipmentRequest request;
    request.set_barcode(barcode);
    key.To(request.mutable_shipment());
    request.set_grams(grams);
    const auto response = Run(DecideAllocateToShipment, request);
    REQUIRE(response.ok());
    return response->allocation().allocation_id();
  }

  void Dispatch(const db::ShipmentKey& key) {
    v1::MarkShipmentReadyRequest ready;
    key.To(ready.mutable_key());
    REQUIRE(Run(DecideMarkShipmentReady, ready).ok());
    v1::DispatchShipmentsRequest dispatch;
    key.To(dispatch.add_keys());
    dispatch.set_shipment_vehicle("WP-1234");
    REQUIRE(Run(DecideDispatchShipments, dispatch).ok());
  }

  absl::StatusOr<v1::DispatchBagResponse> SendAway(const std::string& barcode) {
    LoadHistories();
    v1::DispatchBagRequest request;
    request.set_barcode(barcode);
    request.set_reason("to the laboratory");
    request.set_vehicle("WP-7");
    return Run(DecideDispatchBag, request);
  }

  absl::StatusOr<v1::ReturnBagResponse> TakeBack(
      const std::string& barcode, int64_t net_grams,
      std::optional<db::ShipmentKey> key = std::nullopt,
      const std::string& place = "Store B") {
    LoadHistories();
    v1::ReturnBagRequest request;
    request.set_barcode(barcode);
    request.set_location(place);
    request.set_gross_grams(net_grams + kTare);
    request.set_tare_grams(kTare);
    request.set_remarks("wet corner");
    if (key.has_value()) key->To(request.mutable_shipment());
    return Run(DecideReturnBag, request);
  }

  const Bag& BagOf(const std::string& barcode) const {
    return *rows.bags.Find(*Uuid::Parse(barcode));
  }
  Bag& EditBag(const std::string& barcode) {
    return rows.bags.Edit(BagOf(barcode));
  }

  const Uuid other = AddLocation("Store B", /*herb_section=*/false);
};

TEST_CASE("a bag sent away by hand keeps what remained, and gives nothing") {
  Yard yard;
  const std::string bag = yard.NewBag(10'000);
  const auto gone = yard.SendAway(bag);
  REQUIRE(gone.ok());
  CHECK(gone->bag().status() == v1::BAG_STATUS_DISPATCHED);
  CHECK(gone->bag().remaining_grams() == 10'000);
  REQUIRE(yard.rows.bag_dispatches.appended().size() == 1);
  CHECK(yard.rows.bag_dispatches.appended()[0].remaining_grams == 10'000);
  CHECK(yard.rows.bag_dispatches.appended()[0].vehicle == "WP-7");
  CHECK(ReasonOf(yard.SendAway(bag)) == "BAG_DISPATCHED");
  v1::AllocateToShipmentRequest allocate;
  allocate.set_barcode(bag);
  yard.AddShipment(17, 50'000).To(allocate.mutable_shipment());
  allocate.set_grams(1);
  CHECK(ReasonOf(yard.Run(DecideAllocateToShipment, allocate)) ==
        "BAG_DISPATCHED");
}

TEST_CASE("no bag is sent away that is held, empty, blocked or waited for") {
  Yard yard;
  const std::string held = yard.NewBag(10'000);
  yard.EditBag(held).held = true;
  yard.rows.Keep();
  CHECK(ReasonOf(yard.SendAway(held)) == "BAG_ON_HOLD");

  const auto key = yard.AddShipment(17, 50'000);
  const std::string waited_for = yard.NewBag(10'000);
  yard.Allocate(waited_for, key, 1'000);
  CHECK(ReasonOf(yard.SendAway(waited_for)) == "BAG_ALLOCATED");
  const std::string empty = yard.NewBag(10'000);
  yard.Allocate(empty, key, 10'000);
  CHECK(ReasonOf(yard.SendAway(empty)) == "BAG_EMPTY");
  yard.Dispatch(key);
  CHECK(ReasonOf(yard.SendAway(empty)) == "BAG_DISPATCHED");
  CHECK(yard.SendAway(waited_for).ok());

  const Uuid batch = yard.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                   v1::TRADER_STATE_TRADER_ALLOWED, 50'000);
  const std::string blend = yard.Receive(batch, 10'000)->barcode();
  yard.rows.batches.Edit(*yard.rows.batches.Find(batch)).trader_state =
      v1::TRADER_STATE_TRADER_BLOCKED;
  yard.rows.Keep();
  CHECK(ReasonOf(yard.SendAway(blend)) == "BATCH_BLOCKED");
  CHECK(ReasonOf(yard.SendAway("herbline:" + held)) == "BAG_NOT_FOUND");
}

TEST_CASE("a bag that came back by hand lies there with what remained") {
  Yard yard;
  const std::string bag = yard.NewBag(10'000);
  REQUIRE(yard.SendAway(bag).ok());
  const auto back = yard.TakeBack(bag, 10'000);
  REQUIRE(back.ok());
  CHECK(back->bag().status() == v1::BAG_STATUS_ACCEPTED);
  CHECK(back->bag().remaining_grams() == 10'000);
  CHECK(back->bag().location() == "Store B");
  CHECK(back->bag().returned_grams() == 0);
  CHECK(back->bag_return().net_grams() == 10'000);
  CHECK(back->bag_return().remarks() == "wet corner");
  CHECK_FALSE(back->bag_return().has_shipment());
  CHECK(yard.rows.write_offs.appended().empty());
  CHECK(yard.rows.bag_corrections.appended().empty());
  const BagMove& placed = yard.rows.bag_moves.appended().back();
  CHECK_FALSE(placed.from_location_id.has_value());
  CHECK(placed.to_location_id == yard.other);
  CHECK(ReasonOf(yard.TakeBack(bag, 10'000)) == "BAG_NOT_DISPATCHED");
}

TEST_CASE("what was lost on the way is a write-off, whatever the limit") {
  Yard yard;
  yard.settings.write_off_limit_grams = 0;
  const std::string bag = yard.NewBag(10'000);
  REQUIRE(yard.SendAway(bag).ok());
  const auto back = yard.TakeBack(bag, 9'900);
  REQUIRE(back.ok());
  CHECK(back->bag().status() == v1::BAG_STATUS_IN_PROCESS);
  CHECK(back->bag().remaining_grams() == 9'900);
  CHECK(back->bag().net_grams() == 10'000);
  CHECK(back->bag().written_off_grams() == 100);
  REQUIRE(yard.rows.write_offs.appended().size() == 1);
  CHECK(yard.rows.write_offs.appended()[0].grams == 100);
}

TEST_CASE("what came back heavier by hand is a correction, within limits") {
  Yard yard;
  const Uuid lot =
      yard.AddItem(v1::MATERIAL_KIND_BLENDBALANCE, std::nullopt, 10'200);
  const std::string bag = yard.Receive(lot, 10'000)->barcode();
  REQUIRE(yard.SendAway(bag).ok());
  CHECK(ReasonOf(yard.TakeBack(bag, 10'201)) == "EXPECTED_WEIGHT_EXCEEDED");
  CHECK(yard.BagOf(bag).gone());
  const auto back = yard.TakeBack(bag, 10'200);
  REQUIRE(back.ok());
  CHECK(back->bag().status() == v1::BAG_STATUS_ACCEPTED);
  CHECK(back->bag().net_grams() == 10'200);
  CHECK(back->bag().gross_grams() == 10'700);
  CHECK(yard.rows.items.Find(lot)->received_grams == 10'200);
  REQUIRE(yard.rows.bag_corrections.appended().size() == 1);
  CHECK(yard.rows.bag_corrections.appended()[0].old_net_grams == 10'000);

  const std::string heavy = yard.NewBag(9'000'000);
  REQUIRE(yard.SendAway(heavy).ok());
  CHECK(ReasonOf(yard.TakeBack(heavy, 9'999'501)) == "BAG_TOO_HEAVY");
}

TEST_CASE("what a batch gave back meanwhile was not on the way") {
  Yard yard;
  const Uuid batch = yard.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                   v1::TRADER_STATE_UNSPECIFIED, 0);
  const std::string bag = yard.NewBag(10'000);
  v1::AllocateToBatchRequest allocate;
  allocate.set_barcode(bag);
  allocate.set_batch_id(batch.ToString());
  allocate.set_grams(4'000);
  const auto given = yard.Run(DecideAllocateToBatch, allocate);
  REQUIRE(given.ok());
  REQUIRE(yard.SendAway(bag).ok());
  v1::ReleaseAllocationRequest release;
  release.set_allocation_id(given->allocation().allocation_id());
  REQUIRE(yard.Run(DecideReleaseAllocation, release).ok());
  CHECK(yard.BagOf(bag).remaining_grams == 10'000);
  const auto back = yard.TakeBack(bag, 5'900);
  REQUIRE(back.ok());
  CHECK(back->bag().remaining_grams() == 9'900);
  CHECK(back->bag().written_off_grams() == 100);
}

TEST_CASE("what came back of a shipment remains again") {
  Yard yard;
  const auto key = yard.AddShipment(17, 50'000);
  const std::string bag = yard.NewBag(10'000);
  yard.Allocate(bag, key, 6'000);
  yard.Allocate(bag, key, 4'000);
  CHECK(ReasonOf(yard.TakeBack(bag, 1, key)) == "BAG_NOT_DISPATCHED");
  yard.Dispatch(key);
  CHECK(ReasonOf(yard.TakeBack(bag, 1)) == "BAG_NOT_DISPATCHED");
  CHECK(ReasonOf(yard.TakeBack(bag, 1, db::ShipmentKey{18, 1})) ==
        "BAG_NOT_DISPATCHED");
  CHECK(ReasonOf(yard.TakeBack(bag, 10'001, key)) ==
        "RETURN_EXCEEDS_DISPATCHED");
  const int64_t version = yard.rows.shipments.Find(key)->version;
  const auto part = yard.TakeBack(bag, 7'000, key);
  REQUIRE(part.ok());
  CHECK(part->bag().status() == v1::BAG_STATUS_IN_PROCESS);
  CHECK(part->bag().remaining_grams() == 7'000);
  CHECK(part->bag().returned_grams() == 7'000);
  CHECK(part->bag().allocated_grams() == 10'000);
  CHECK(part->bag_return().shipment().request_code() == 17);
  CHECK(ReasonOf(yard.TakeBack(bag, 3'001, key)) ==
        "RETURN_EXCEEDS_DISPATCHED");
  const auto rest = yard.TakeBack(bag, 3'000, key);
  REQUIRE(rest.ok());
  CHECK(rest->bag().status() == v1::BAG_STATUS_ACCEPTED);
  CHECK(yard.rows.shipments.Find(key)->version == version);
  CHECK(yard.rows.shipments.Find(key)->allocated_grams == 10'000);

  // It goes out again, and is gone again.
  const auto second = yard.AddShipment(18, 50'000);
  yard.Allocate(bag, second, 10'000);
  yard.Dispatch(second);
  CHECK(yard.BagOf(bag).gone());
  CHECK(yard.TakeBack(bag, 10'000, second).ok());
}

TEST_CASE("nothing comes back of a shipment into a bag that is away") {
  Yard yard;
  const std::string bag = yard.NewBag(10'000);
  const auto key = yard.AddShipment(17, 50'000);
  yard.Allocate(bag, key, 4'000);
  yard.Dispatch(key);
  REQUIRE(yard.SendAway(bag).ok());
  CHECK(ReasonOf(yard.TakeBack(bag, 1'000, key)) == "BAG_DISPATCHED");
  REQUIRE(yard.TakeBack(bag, 6'000).ok());
  CHECK(yard.TakeBack(bag, 1'000, key).ok());
  CHECK(yard.BagOf(bag).remaining_grams == 7'000);
}

TEST_CASE("a bag lies where its kind may when it comes back") {
  Yard yard;
  const std::string bag = yard.NewBag(10'000);
  REQUIRE(yard.SendAway(bag).ok());
  CHECK(ReasonOf(yard.TakeBack(bag, 10'000, std::nullopt, "Herbs 1")) ==
        "HERB_SECTION_RULE");
  CHECK(ReasonOf(yard.TakeBack(bag, 10'000, std::nullopt, "Nowhere")) ==
        "LOCATION_NOT_FOUND");
  v1::ReturnBagRequest request;
  request.set_barcode(bag);
  request.set_location("Store B");
  request.set_gross_grams(500);
  request.set_tare_grams(500);
  CHECK(ReasonOf(yard.Run(DecideReturnBag, request)) == "INVALID_FIELDS");
}

TEST_CASE("parcels and what came back never exceed what left together") {
  Yard yard;
  const auto key = yard.AddShipment(17, 50'000);
  const std::string bag = yard.NewBag(10'000);
  const std::string allocation = yard.Allocate(bag, key, 10'000);
  yard.Dispatch(key);
  Shipment& shipment = yard.rows.shipments.Edit(*yard.rows.shipments.Find(key));
  shipment.order_code = "O-1";
  shipment.accepted = true;
  shipment.status = shipment.StatusFromFacts();
  yard.rows.schedules.Put({.schedule_code = 5, .order_code = "O-1"});
  yard.rows.Keep();
  v1::CreateParcelRequest parcel;
  parcel.set_allocation_id(allocation);
  parcel.set_schedule_code(5);
  parcel.set_grams(4'000);
  REQUIRE(yard.Run(DecideCreateParcel, parcel).ok());
  CHECK(ReasonOf(yard.TakeBack(bag, 6'001, key)) ==
        "RETURN_EXCEEDS_DISPATCHED");
  REQUIRE(yard.TakeBack(bag, 5'000, key).ok());
  yard.LoadHistories();
  parcel.set_grams(1'001);
  CHECK(ReasonOf(yard.Run(DecideCreateParcel, parcel)) ==
        "PARCELS_EXCEED_ALLOCATION");
  parcel.set_grams(1'000);
  CHECK(yard.Run(DecideCreateParcel, parcel).ok());
}

}  // namespace
}  // namespace mtp::processing
