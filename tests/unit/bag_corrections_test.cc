#include "processing_service/bag_corrections.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "processing_service/errors.h"
#include "processing_service/outbound.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

// Corrections are the officer's, everything else here the operator's.
absl::StatusOr<v1::CorrectBagResponse> Correct(Seeduwa& seeduwa,
                                               const std::string& barcode,
                                               int64_t gross_grams,
                                               int64_t tare_grams) {
  v1::CorrectBagRequest request;
  request.set_barcode(barcode);
  request.set_gross_grams(gross_grams);
  request.set_tare_grams(tare_grams);
  request.set_reason("the scale was not level");
  return seeduwa.Run(DecideCorrectBag, request);
}

absl::StatusOr<v1::WriteOffBagResponse> WriteOffOf(Seeduwa& seeduwa,
                                                   const std::string& barcode,
                                                   int64_t grams) {
  v1::WriteOffBagRequest request;
  request.set_barcode(barcode);
  request.set_grams(grams);
  request.set_reason(v1::WRITE_OFF_REASON_SPILLAGE);
  request.set_remarks("torn");
  return seeduwa.Run(DecideWriteOffBag, request);
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

void Dispatch(Seeduwa& seeduwa, const db::ShipmentKey& key) {
  v1::MarkShipmentReadyRequest ready;
  key.To(ready.mutable_key());
  REQUIRE(seeduwa.Run(DecideMarkShipmentReady, ready).ok());
  v1::DispatchShipmentsRequest dispatch;
  key.To(dispatch.add_keys());
  dispatch.set_shipment_vehicle("WP-1234");
  REQUIRE(seeduwa.Run(DecideDispatchShipments, dispatch).ok());
  seeduwa.LoadHistories();
}

std::string NewBag(Seeduwa& seeduwa, int64_t grams) {
  const auto bag =
      seeduwa.Receive(seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 9), grams);
  REQUIRE(bag.ok());
  return bag->barcode();
}

const Bag& BagOf(const Seeduwa& seeduwa, const std::string& barcode) {
  return *seeduwa.rows.bags.Find(*Uuid::Parse(barcode));
}

TEST_CASE("a correction mends the weights and keeps those of before") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 9);
  const std::string bag = seeduwa.Receive(lot, 20'000)->barcode();
  seeduwa.now += absl::Hours(1);
  const auto first = Correct(seeduwa, bag, 21'700, 700);
  REQUIRE(first.ok());
  CHECK(first->bag().gross_grams() == 21'700);
  CHECK(first->bag().tare_grams() == 700);
  CHECK(first->bag().net_grams() == 21'000);
  CHECK(first->bag().remaining_grams() == 21'000);
  CHECK(first->bag().status() == v1::BAG_STATUS_ACCEPTED);
  CHECK(first->correction().correction_id() == "1");
  CHECK(first->correction().old_gross_grams() == 20'500);
  CHECK(first->correction().old_tare_grams() == 500);
  CHECK(first->correction().new_gross_grams() == 21'700);
  CHECK(first->correction().new_tare_grams() == 700);
  CHECK(first->correction().reason() == "the scale was not level");
  CHECK(seeduwa.rows.items.Find(lot)->received_grams == 21'000);
  CHECK(seeduwa.audit_entries == 2);

  const auto second = Correct(seeduwa, bag, 19'700, 700);
  REQUIRE(second.ok());
  CHECK(second->correction().correction_id() == "2");
  CHECK(seeduwa.rows.items.Find(lot)->received_grams == 19'000);
  REQUIRE(seeduwa.rows.bag_corrections.appended().size() == 2);
  CHECK(seeduwa.rows.bag_corrections.appended()[1].old_net_grams == 21'000);
}

TEST_CASE("a correction that is refused takes no number") {
  Seeduwa seeduwa;
  const std::string bag = NewBag(seeduwa, 20'000);
  Allocate(seeduwa, bag, seeduwa.AddShipment(17, 50'000), 15'000);
  CHECK(ReasonOf(Correct(seeduwa, bag, 15'499, 500)) ==
        "CORRECTION_BELOW_USED");
  const auto done = Correct(seeduwa, bag, 20'000, 500);
  REQUIRE(done.ok());
  CHECK(done->correction().correction_id() == "1");
}

TEST_CASE("a bag is never corrected below what is used of it") {
  Seeduwa seeduwa;
  const std::string bag = NewBag(seeduwa, 20'000);
  Allocate(seeduwa, bag, seeduwa.AddShipment(17, 50'000), 12'000);
  REQUIRE(WriteOffOf(seeduwa, bag, 3'000).ok());
  CHECK(ReasonOf(Correct(seeduwa, bag, 15'499, 500)) ==
        "CORRECTION_BELOW_USED");
  const auto exact = Correct(seeduwa, bag, 15'500, 500);
  REQUIRE(exact.ok());
  CHECK(exact->bag().remaining_grams() == 0);
  CHECK(exact->bag().status() == v1::BAG_STATUS_PROCESSED);
  CHECK(exact->bag().allocated_grams() == 12'000);
  CHECK(exact->bag().written_off_grams() == 3'000);
  // A heavier bag has something left again.
  const auto more = Correct(seeduwa, bag, 15'600, 500);
  REQUIRE(more.ok());
  CHECK(more->bag().remaining_grams() == 100);
  CHECK(more->bag().status() == v1::BAG_STATUS_IN_PROCESS);
}

TEST_CASE("a correction stays within what its lot or batch may have") {
  Seeduwa seeduwa;
  const Uuid lot =
      seeduwa.AddItem(v1::MATERIAL_KIND_BLENDBALANCE, std::nullopt, 30'000);
  const std::string balance = seeduwa.Receive(lot, 20'000)->barcode();
  REQUIRE(seeduwa.Receive(lot, 5'000).ok());
  CHECK(ReasonOf(Correct(seeduwa, balance, 25'501, 500)) ==
        "EXPECTED_WEIGHT_EXCEEDED");
  CHECK(Correct(seeduwa, balance, 25'500, 500).ok());
  CHECK(seeduwa.rows.items.Find(lot)->received_grams == 30'000);

  const Uuid batch = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                      v1::TRADER_STATE_UNSPECIFIED, 100'000);
  const std::string blend = seeduwa.Receive(batch, 60'000)->barcode();
  const int64_t version = seeduwa.rows.batches.Find(batch)->version;
  CHECK(ReasonOf(Correct(seeduwa, blend, 102'501, 500)) ==
        "BATCH_OUT_EXCEEDS_IN");
  CHECK(seeduwa.rows.batches.Find(batch)->version == version);
  CHECK(Correct(seeduwa, blend, 102'500, 500).ok());
  CHECK(seeduwa.rows.batches.Find(batch)->out_grams == 102'000);
  CHECK(seeduwa.rows.batches.Find(batch)->version > version);
  CHECK(Correct(seeduwa, blend, 10'500, 500).ok());
  CHECK(seeduwa.rows.batches.Find(batch)->out_grams == 10'000);
}

TEST_CASE("a correction is wrong by itself when the tare is not the less") {
  Seeduwa seeduwa;
  const std::string bag = NewBag(seeduwa, 20'000);
  CHECK(ReasonOf(Correct(seeduwa, bag, 500, 500)) == "INVALID_FIELDS");
  CHECK(ReasonOf(Correct(seeduwa, "herbline:" + bag, 1'000, 500)) ==
        "BAG_NOT_FOUND");
  CHECK(ReasonOf(Correct(seeduwa, "0198b7a2-1111-7000-8000-000000000001", 1'000,
                         500)) == "BAG_NOT_FOUND");
}

TEST_CASE("a write-off takes a loss out of what remains, and no more") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 9);
  const std::string bag = seeduwa.Receive(lot, 8'000)->barcode();
  CHECK(ReasonOf(WriteOffOf(seeduwa, bag, 8'001)) == "INSUFFICIENT_REMAINING");
  const auto part = WriteOffOf(seeduwa, bag, 3'000);
  REQUIRE(part.ok());
  CHECK(part->bag().remaining_grams() == 5'000);
  CHECK(part->bag().written_off_grams() == 3'000);
  CHECK(part->bag().allocated_grams() == 0);
  CHECK(part->bag().net_grams() == 8'000);
  CHECK(part->bag().status() == v1::BAG_STATUS_IN_PROCESS);
  CHECK(part->write_off().barcode() == bag);
  CHECK(part->write_off().grams() == 3'000);
  CHECK(part->write_off().reason() == v1::WRITE_OFF_REASON_SPILLAGE);
  CHECK(part->write_off().remarks() == "torn");
  const auto rest = WriteOffOf(seeduwa, bag, 5'000);
  REQUIRE(rest.ok());
  CHECK(rest->bag().status() == v1::BAG_STATUS_PROCESSED);
  CHECK(ReasonOf(WriteOffOf(seeduwa, bag, 1)) == "INSUFFICIENT_REMAINING");
  // What was received was received.
  CHECK(seeduwa.rows.items.Find(lot)->received_grams == 8'000);
}

TEST_CASE("over the limit of one write-off it takes the admin") {
  Seeduwa seeduwa;
  seeduwa.settings.write_off_limit_grams = 2'000;
  const std::string bag = NewBag(seeduwa, 20'000);
  const auto refused = WriteOffOf(seeduwa, bag, 2'001);
  CHECK(ReasonOf(refused) == "WRITE_OFF_OVER_LIMIT");
  CHECK(refused.status().code() == absl::StatusCode::kPermissionDenied);
  CHECK(WriteOffOf(seeduwa, bag, 2'000).ok());
  seeduwa.role = options::v1::ROLE_SEEDUWA_ADMIN;
  CHECK(WriteOffOf(seeduwa, bag, 18'000).ok());
}

TEST_CASE("what is gone is neither corrected nor written off") {
  Seeduwa seeduwa;
  const std::string whole = NewBag(seeduwa, 10'000);
  const auto key = seeduwa.AddShipment(17, 50'000);
  Allocate(seeduwa, whole, key, 10'000);
  Dispatch(seeduwa, key);
  CHECK(BagOf(seeduwa, whole).gone());
  CHECK(ReasonOf(Correct(seeduwa, whole, 11'000, 500)) == "BAG_DISPATCHED");
  CHECK(ReasonOf(WriteOffOf(seeduwa, whole, 1)) == "BAG_DISPATCHED");
}

TEST_CASE("a bag is gone when what had not left of it is lost or was none") {
  Seeduwa seeduwa;
  const auto left = seeduwa.AddShipment(17, 50'000);
  const auto waiting = seeduwa.AddShipment(18, 50'000);
  const std::string lost = NewBag(seeduwa, 10'000);
  const std::string lighter = NewBag(seeduwa, 10'000);
  const std::string used = NewBag(seeduwa, 10'000);
  for (const std::string& bag : {lost, lighter, used})
    Allocate(seeduwa, bag, left, 6'000);
  Allocate(seeduwa, used, waiting, 1'000);
  Dispatch(seeduwa, left);

  REQUIRE(WriteOffOf(seeduwa, lost, 4'000).ok());
  CHECK(BagOf(seeduwa, lost).status == v1::BAG_STATUS_DISPATCHED);
  REQUIRE(Correct(seeduwa, lighter, 6'500, 500).ok());
  CHECK(BagOf(seeduwa, lighter).status == v1::BAG_STATUS_DISPATCHED);
  // A part of it still waits here.
  REQUIRE(WriteOffOf(seeduwa, used, 3'000).ok());
  CHECK(BagOf(seeduwa, used).status == v1::BAG_STATUS_PROCESSED);
}

TEST_CASE("what was taken within the same batch of calls has not left") {
  Seeduwa seeduwa;
  const auto left = seeduwa.AddShipment(17, 50'000);
  const auto waiting = seeduwa.AddShipment(18, 50'000);
  const std::string bag = NewBag(seeduwa, 10'000);
  Allocate(seeduwa, bag, left, 6'000);
  Dispatch(seeduwa, left);  // loads the histories
  Allocate(seeduwa, bag, waiting, 1'000);
  REQUIRE(WriteOffOf(seeduwa, bag, 3'000).ok());
  CHECK(BagOf(seeduwa, bag).status == v1::BAG_STATUS_PROCESSED);
}

}  // namespace
}  // namespace mtp::processing
