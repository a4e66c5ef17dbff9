#include "processing_service/parcels.h"

#include <catch2/catch.hpp>

#include "processing_service/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

// An accepted shipment of two bags, and a schedule of the same order.
struct Grandpass : Seeduwa {
  Grandpass() {
    const db::ShipmentKey key = AddShipment(17, 50'000);
    barcode = *Receive(AddItem(v1::MATERIAL_KIND_TEALINE, 9), 30'000);
    v1::AllocateToShipmentRequest request;
    request.set_barcode(barcode.barcode());
    key.To(request.mutable_shipment());
    request.set_grams(20'000);
    allocation_id =
        Run(DecideAllocateToShipment, request)->allocation().allocation_id();
    request.set_grams(10'000);
    second_id =
        Run(DecideAllocateToShipment, request)->allocation().allocation_id();
    Shipment& shipment = rows.shipments.Edit(*rows.shipments.Find(key));
    shipment.order_code = "O-1";
    shipment.dispatched = true;
    shipment.accepted = true;
    shipment.status = shipment.StatusFromFacts();
    rows.schedules.Put({.schedule_code = 5, .order_code = "O-1"});
    rows.Keep();
  }

  auto Create(int64_t grams, int64_t schedule_code = 5) {
    return CreateOf(allocation_id, grams, schedule_code);
  }
  absl::StatusOr<v1::CreateParcelResponse> CreateOf(
      const std::string& allocation, int64_t grams, int64_t schedule_code = 5) {
    v1::CreateParcelRequest request;
    request.set_allocation_id(allocation);
    request.set_schedule_code(schedule_code);
    request.set_grams(grams);
    return Run(DecideCreateParcel, request);
  }
  absl::StatusOr<v1::ReleaseParcelResponse> Release(
      const std::string& parcel_id) {
    v1::ReleaseParcelRequest request;
    request.set_parcel_id(parcel_id);
    return Run(DecideReleaseParcel, request);
  }
  Shipment& TheShipment() {
    return rows.shipments.Edit(*rows.shipments.Find({17, 1}));
  }
  Schedule& TheSchedule() {
    return rows.schedules.Edit(*rows.schedules.Find(5));
  }

  v1::Bag barcode;
  std::string allocation_id;
  std::string second_id;
};

TEST_CASE("parcels subdivide an allocation and never exceed it") {
  Grandpass grandpass;
  const auto first = grandpass.Create(15'000);
  REQUIRE(first.ok());
  CHECK(first->left_grams() == 5'000);
  CHECK(first->parcel().shipment().request_code() == 17);
  CHECK(first->parcel().source_name() == "Kenmare BOPF I-1");
  CHECK_FALSE(first->sync_token().empty());
  CHECK(ReasonOf(grandpass.Create(5'001)) == "PARCELS_EXCEED_ALLOCATION");
  REQUIRE(grandpass.Create(5'000).ok());
  CHECK(ReasonOf(grandpass.Create(1)) == "PARCELS_EXCEED_ALLOCATION");

  const Schedule& schedule = *grandpass.rows.schedules.Find(5);
  CHECK(schedule.parcel_count == 2);
  CHECK(schedule.parcel_grams == 20'000);
  CHECK(schedule.version == 2);

  REQUIRE(grandpass.Release(first->parcel().parcel_id()).ok());
  CHECK(ReasonOf(grandpass.Release(first->parcel().parcel_id())) ==
        "PARCEL_RELEASED");
  CHECK(schedule.parcel_count == 1);
  CHECK(schedule.parcel_grams == 5'000);
  CHECK(schedule.version == 3);
  CHECK(grandpass.Create(15'000).ok());
}

TEST_CASE(
    "parcels are of accepted shipments, for open schedules of the same order") {
  Grandpass grandpass;
  CHECK(ReasonOf(grandpass.CreateOf("0198b7a2-1111-7000-8000-000000000001",
                                    1)) == "ALLOCATION_NOT_FOUND");
  CHECK(ReasonOf(grandpass.Create(1, 6)) == "SCHEDULE_NOT_FOUND");
  CHECK(ReasonOf(grandpass.Release("0198b7a2-1111-7000-8000-000000000001")) ==
        "PARCEL_NOT_FOUND");

  grandpass.TheShipment().accepted = false;
  grandpass.rows.Keep();
  CHECK(ReasonOf(grandpass.Create(1)) == "SHIPMENT_NOT_ACCEPTED");
  grandpass.TheShipment().accepted = true;

  grandpass.TheSchedule().order_code = "O-2";
  grandpass.rows.Keep();
  CHECK(ReasonOf(grandpass.Create(1)) == "SCHEDULE_OF_OTHER_ORDER");
  grandpass.TheSchedule().order_code = "O-1";
  grandpass.rows.Keep();

  const auto parcel = grandpass.Create(1);
  REQUIRE(parcel.ok());
  grandpass.TheSchedule().completed = true;
  grandpass.rows.Keep();
  CHECK(ReasonOf(grandpass.Create(1)) == "SCHEDULE_COMPLETED");
  CHECK(ReasonOf(grandpass.Release(parcel->parcel().parcel_id())) ==
        "SCHEDULE_COMPLETED");
  grandpass.TheSchedule().completed = false;
  grandpass.rows.Keep();
  CHECK(grandpass.Release(parcel->parcel().parcel_id()).ok());
}

TEST_CASE("what was sent back is made into no parcels") {
  Grandpass grandpass;
  for (const std::string& id : {grandpass.allocation_id, grandpass.second_id}) {
    grandpass.rows.sent_back.Put(
        {.allocation_id = *Uuid::Parse(id), .grams = 25'000});
  }
  // 30 kg of the bag were shipped in two parts, 25 kg came back.
  CHECK(ReasonOf(grandpass.Create(5'001)) == "PARCELS_EXCEED_ALLOCATION");
  REQUIRE(grandpass.Create(3'000).ok());
  CHECK(ReasonOf(grandpass.CreateOf(grandpass.second_id, 2'001)) ==
        "PARCELS_EXCEED_ALLOCATION");
  CHECK(grandpass.CreateOf(grandpass.second_id, 2'000).ok());
}

TEST_CASE("a bag that the acceptance sent back is made into no parcels") {
  Grandpass grandpass;
  grandpass.rows.sent_back.Put(
      {.allocation_id = *Uuid::Parse(grandpass.allocation_id),
       .announced = true});
  CHECK(ReasonOf(grandpass.Create(1)) == "PARCELS_EXCEED_ALLOCATION");
}

}  // namespace
}  // namespace mtp::processing
