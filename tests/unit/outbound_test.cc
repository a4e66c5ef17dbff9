#include "processing_service/outbound.h"

#include <sodium.h>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "processing_service/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

v1::DispatchShipmentsRequest Dispatch(
    const std::vector<db::ShipmentKey>& keys) {
  v1::DispatchShipmentsRequest request;
  for (const auto& key : keys) key.To(request.add_keys());
  request.set_shipment_vehicle("WP-1234");
  return request;
}

v1::MarkShipmentReadyRequest Ready(const db::ShipmentKey& key) {
  v1::MarkShipmentReadyRequest request;
  key.To(request.mutable_key());
  return request;
}

v1::MarkShipmentNotReadyRequest NotReady(const db::ShipmentKey& key) {
  v1::MarkShipmentNotReadyRequest request;
  key.To(request.mutable_key());
  request.set_order_remarks("the bags are wet");
  return request;
}

v1::CorrectDispatchRequest TakeBack(const db::ShipmentKey& key) {
  v1::CorrectDispatchRequest request;
  key.To(request.mutable_key());
  request.set_take_back(true);
  request.set_reason("the truck broke down in the yard");
  return request;
}

v1::Allocation Allocate(Seeduwa& seeduwa, const std::string& barcode,
                        const db::ShipmentKey& key, int64_t grams) {
  v1::AllocateToShipmentRequest request;
  request.set_barcode(barcode);
  key.To(request.mutable_shipment());
  request.set_grams(grams);
  const auto response = seeduwa.Run(DecideAllocateToShipment, request);
  REQUIRE(response.ok());
  return response->allocation();
}

std::string NewBag(Seeduwa& seeduwa, int64_t grams) {
  const auto bag =
      seeduwa.Receive(seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 9), grams);
  REQUIRE(bag.ok());
  return bag->barcode();
}

v1::BagStatus StatusOf(const Seeduwa& seeduwa, const std::string& barcode) {
  return seeduwa.rows.bags.Find(*Uuid::Parse(barcode))->status;
}

// A shipment that stands ready with a bag of its own.
db::ShipmentKey ReadyShipment(Seeduwa& seeduwa, int64_t request_code) {
  const auto key = seeduwa.AddShipment(request_code, 50'000);
  Allocate(seeduwa, NewBag(seeduwa, 20'000), key, 20'000);
  REQUIRE(seeduwa.Run(DecideMarkShipmentReady, Ready(key)).ok());
  return key;
}

TEST_CASE(
    "readiness goes to and fro while the shipment waits, each time once") {
  Seeduwa seeduwa;
  const auto key = seeduwa.AddShipment(17, 50'000);
  CHECK(ReasonOf(seeduwa.Run(DecideMarkShipmentReady, Ready({18, 1}))) ==
        "SHIPMENT_NOT_FOUND");
  const auto not_ready = seeduwa.Run(DecideMarkShipmentNotReady, NotReady(key));
  REQUIRE(not_ready.ok());
  CHECK(not_ready->shipment().status() ==
        common::v1::SHIPMENT_STATUS_ORDER_NOT_READY);
  CHECK(not_ready->shipment().order_remarks() == "the bags are wet");
  CHECK_FALSE(not_ready->sync_token().empty());
  CHECK(ReasonOf(seeduwa.Run(DecideMarkShipmentNotReady, NotReady(key))) ==
        "WRONG_SHIPMENT_STATUS");
  const auto ready = seeduwa.Run(DecideMarkShipmentReady, Ready(key));
  REQUIRE(ready.ok());
  CHECK(ready->shipment().status() == common::v1::SHIPMENT_STATUS_ORDER_READY);
  CHECK(ready->shipment().order_remarks().empty());
  CHECK(ReasonOf(seeduwa.Run(DecideMarkShipmentReady, Ready(key))) ==
        "WRONG_SHIPMENT_STATUS");
  CHECK(seeduwa.rows.shipments.Find(key)->version == 2);
}

TEST_CASE("a shipment leaves when it is ready and something is in it") {
  Seeduwa seeduwa;
  const auto key = seeduwa.AddShipment(17, 50'000);
  CHECK(ReasonOf(seeduwa.Run(DecideDispatchShipments, Dispatch({key}))) ==
        "WRONG_SHIPMENT_STATUS");
  REQUIRE(seeduwa.Run(DecideMarkShipmentReady, Ready(key)).ok());
  CHECK(ReasonOf(seeduwa.Run(DecideDispatchShipments, Dispatch({key}))) ==
        "NOTHING_ALLOCATED");
  Allocate(seeduwa, NewBag(seeduwa, 20'000), key, 20'000);
  const auto left = seeduwa.Run(DecideDispatchShipments, Dispatch({key}));
  REQUIRE(left.ok());
  const v1::OpenShipment& shown = left->shipments(0);
  CHECK(shown.status() == common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(shown.missing_grams() == 0);
  CHECK(shown.dispatch().dispatch_id() == left->dispatch_id());
  CHECK(shown.dispatch().shipment_vehicle() == "WP-1234");
  CHECK(shown.dispatch().dispatched_grams() == 20'000);
  CHECK(shown.dispatch().bag_count() == 1);
  CHECK(ReasonOf(seeduwa.Run(DecideDispatchShipments, Dispatch({key}))) ==
        "WRONG_SHIPMENT_STATUS");
}

TEST_CASE(
    "shipments leave together or not at all, and every hindrance is told") {
  Seeduwa seeduwa;
  const auto good = ReadyShipment(seeduwa, 17);
  const auto held = ReadyShipment(seeduwa, 18);
  const auto waiting = seeduwa.AddShipment(19, 50'000);
  const Bag& bag =
      *seeduwa.rows.bags.Find(seeduwa.rows.allocations.All().back()->barcode);
  const auto* of_held = &bag;
  for (const Allocation* allocation : seeduwa.rows.allocations.All()) {
    if (allocation->shipment() == held) {
      of_held = seeduwa.rows.bags.Find(allocation->barcode);
    }
  }
  seeduwa.rows.bags.Edit(*of_held).held = true;
  seeduwa.rows.Keep();

  const auto refused =
      seeduwa.Run(DecideDispatchShipments, Dispatch({good, held, waiting}));
  REQUIRE(ReasonOf(refused) == "BAG_ON_HOLD");
  google::rpc::PreconditionFailure failure;
  REQUIRE(failure.ParseFromString(std::string(*refused.status().GetPayload(
      "type.googleapis.com/google.rpc.PreconditionFailure"))));
  REQUIRE(failure.violations_size() == 2);
  CHECK(failure.violations(1).type() == "WRONG_SHIPMENT_STATUS");
  CHECK_FALSE(seeduwa.rows.shipments.Find(good)->dispatched);

  CHECK(ReasonOf(
            seeduwa.Run(DecideDispatchShipments, Dispatch({good, {99, 1}}))) ==
        "SHIPMENT_NOT_FOUND");
  CHECK(ReasonOf(seeduwa.Run(DecideDispatchShipments,
                             Dispatch({good, good}))) == "INVALID_FIELDS");
  CHECK(seeduwa.Run(DecideDispatchShipments, Dispatch({good})).ok());
}

TEST_CASE("nothing leaves of a batch that was blocked after it was allocated") {
  Seeduwa seeduwa;
  const Uuid batch = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                      v1::TRADER_STATE_TRADER_ALLOWED, 50'000);
  const auto bag = seeduwa.Receive(batch, 20'000);
  REQUIRE(bag.ok());
  const auto key = seeduwa.AddShipment(17, 50'000);
  Allocate(seeduwa, bag->barcode(), key, 20'000);
  REQUIRE(seeduwa.Run(DecideMarkShipmentReady, Ready(key)).ok());
  seeduwa.rows.batches.Edit(*seeduwa.rows.batches.Find(batch)).trader_state =
      v1::TRADER_STATE_TRADER_BLOCKED;
  seeduwa.rows.Keep();
  CHECK(ReasonOf(seeduwa.Run(DecideDispatchShipments, Dispatch({key}))) ==
        "BATCH_BLOCKED");
}

TEST_CASE("a flavor stays when a blend went into it that nobody allowed yet") {
  Seeduwa seeduwa;
  const Uuid flavor = seeduwa.AddBatch(v1::MATERIAL_KIND_FLAVORSHEET,
                                       v1::TRADER_STATE_UNSPECIFIED, 50'000);
  const auto bag = seeduwa.Receive(flavor, 20'000);
  REQUIRE(bag.ok());
  const auto key = seeduwa.AddShipment(17, 50'000);
  Allocate(seeduwa, bag->barcode(), key, 20'000);
  REQUIRE(seeduwa.Run(DecideMarkShipmentReady, Ready(key)).ok());
  const Uuid blend = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                      v1::TRADER_STATE_TRADER_REQUESTED, 0);
  seeduwa.rows.batches.Edit(*seeduwa.rows.batches.Find(flavor))
      .TakeIn(*seeduwa.rows.batches.Find(blend));
  seeduwa.rows.Keep();
  CHECK(ReasonOf(seeduwa.Run(DecideDispatchShipments, Dispatch({key}))) ==
        "BATCH_NOT_ALLOWED");
}

TEST_CASE("a bag is gone when all that was taken from it has left") {
  Seeduwa seeduwa;
  const auto first = seeduwa.AddShipment(17, 50'000);
  const auto second = seeduwa.AddShipment(18, 50'000);
  const std::string whole = NewBag(seeduwa, 10'000);
  const std::string shared = NewBag(seeduwa, 10'000);
  const std::string begun = NewBag(seeduwa, 10'000);
  Allocate(seeduwa, whole, first, 10'000);
  Allocate(seeduwa, shared, first, 4'000);
  Allocate(seeduwa, shared, second, 6'000);
  Allocate(seeduwa, begun, first, 1'000);
  for (const auto& key : {first, second}) {
    REQUIRE(seeduwa.Run(DecideMarkShipmentReady, Ready(key)).ok());
  }
  REQUIRE(seeduwa.Run(DecideDispatchShipments, Dispatch({first})).ok());
  CHECK(StatusOf(seeduwa, whole) == v1::BAG_STATUS_DISPATCHED);
  CHECK(StatusOf(seeduwa, shared) == v1::BAG_STATUS_PROCESSED);
  CHECK(StatusOf(seeduwa, begun) == v1::BAG_STATUS_IN_PROCESS);
  REQUIRE(seeduwa.Run(DecideDispatchShipments, Dispatch({second})).ok());
  CHECK(StatusOf(seeduwa, shared) == v1::BAG_STATUS_DISPATCHED);

  REQUIRE(seeduwa.Run(DecideCorrectDispatch, TakeBack(first)).ok());
  CHECK(StatusOf(seeduwa, whole) == v1::BAG_STATUS_PROCESSED);
  CHECK(StatusOf(seeduwa, shared) == v1::BAG_STATUS_PROCESSED);
  CHECK(StatusOf(seeduwa, begun) == v1::BAG_STATUS_IN_PROCESS);
}

TEST_CASE("the manifest's digest is of its lines in order") {
  Seeduwa seeduwa;
  const auto key = seeduwa.AddShipment(17, 50'000);
  std::vector<std::string> lines;
  for (int i = 0; i < 3; ++i) {
    const std::string barcode = NewBag(seeduwa, 10'000);
    for (const int64_t grams : {1'000, 2'000}) {
      const auto given = Allocate(seeduwa, barcode, key, grams);
      lines.push_back(
          absl::StrCat(barcode, ",", given.allocation_id(), ",", grams, "\n"));
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  REQUIRE(seeduwa.Run(DecideMarkShipmentReady, Ready(key)).ok());
  const auto left = seeduwa.Run(DecideDispatchShipments, Dispatch({key}));
  REQUIRE(left.ok());
  CHECK(left->shipments(0).dispatch().manifest_digest() == digest);
  CHECK(left->shipments(0).dispatch().bag_count() == 3);
}

TEST_CASE("a dispatch is mended until it is accepted") {
  Seeduwa seeduwa;
  const auto key = ReadyShipment(seeduwa, 17);
  v1::CorrectDispatchRequest vehicle = TakeBack(key);
  vehicle.set_shipment_vehicle("WP-9999");
  CHECK(ReasonOf(seeduwa.Run(DecideCorrectDispatch, vehicle)) ==
        "WRONG_SHIPMENT_STATUS");
  REQUIRE(seeduwa.Run(DecideDispatchShipments, Dispatch({key})).ok());
  const auto mended = seeduwa.Run(DecideCorrectDispatch, vehicle);
  REQUIRE(mended.ok());
  CHECK(mended->shipment().dispatch().shipment_vehicle() == "WP-9999");
  CHECK(mended->shipment().dispatch().correction_reason() == vehicle.reason());

  v1::CorrectDispatchRequest neither = TakeBack(key);
  neither.clear_correction();
  CHECK(ReasonOf(seeduwa.Run(DecideCorrectDispatch, neither)) ==
        "INVALID_FIELDS");

  const auto taken_back = seeduwa.Run(DecideCorrectDispatch, TakeBack(key));
  REQUIRE(taken_back.ok());
  CHECK(taken_back->shipment().status() ==
        common::v1::SHIPMENT_STATUS_ORDER_READY);
  CHECK(taken_back->shipment().allocated_grams() == 20'000);
  CHECK_FALSE(taken_back->shipment().has_dispatch());
  CHECK(seeduwa.rows.dispatch_corrections.appended().size() == 2);

  REQUIRE(seeduwa.Run(DecideDispatchShipments, Dispatch({key})).ok());
  Shipment& shipment =
      seeduwa.rows.shipments.Edit(*seeduwa.rows.shipments.Find(key));
  shipment.accepted = true;
  shipment.status = shipment.StatusFromFacts();
  seeduwa.rows.Keep();
  CHECK(ReasonOf(seeduwa.Run(DecideCorrectDispatch, TakeBack(key))) ==
        "WRONG_SHIPMENT_STATUS");
}

TEST_CASE("a dispatch is not taken back once a bag of it came home") {
  Seeduwa seeduwa;
  const auto key = ReadyShipment(seeduwa, 17);
  REQUIRE(seeduwa.Run(DecideDispatchShipments, Dispatch({key})).ok());
  seeduwa.rows.shipment_returns.Put(
      {.request_code = 17, .shipment_code = 1, .bags = 1});
  CHECK(ReasonOf(seeduwa.Run(DecideCorrectDispatch, TakeBack(key))) ==
        "BAG_RETURNED");
  CHECK(seeduwa.rows.shipments.Find(key)->dispatched);
}

TEST_CASE(
    "what was cut while it counted as gone is given back when taken back") {
  Seeduwa seeduwa;
  const auto key = ReadyShipment(seeduwa, 17);
  REQUIRE(seeduwa.Run(DecideDispatchShipments, Dispatch({key})).ok());
  seeduwa.rows.shipments.Edit(*seeduwa.rows.shipments.Find(key))
      .quantity_grams = 15'000;
  seeduwa.rows.Keep();
  const auto taken_back = seeduwa.Run(DecideCorrectDispatch, TakeBack(key));
  REQUIRE(taken_back.ok());
  CHECK(taken_back->shipment().allocated_grams() == 15'000);
  CHECK(seeduwa.rows.allocation_releases.appended().at(0).grams == 5'000);
}

}  // namespace
}  // namespace mtp::processing
