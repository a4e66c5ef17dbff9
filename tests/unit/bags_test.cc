#include "processing_service/bags.h"

#include <catch2/catch.hpp>

#include "common/rpc/status.h"
#include "google/rpc/error_details.pb.h"
#include "processing_service/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

std::string ReasonOf(const absl::Status& status) {
  return errors::Reason(status);
}
template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : ReasonOf(result.status());
}

std::string ReasonOf(const google::rpc::Status& error) {
  google::rpc::ErrorInfo info;
  for (const auto& detail : error.details()) detail.UnpackTo(&info);
  return info.reason();
}

std::vector<std::string> ViolatedFields(const absl::Status& status) {
  google::rpc::BadRequest bad_request;
  const auto payload =
      status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  if (payload.has_value()) bad_request.ParseFromString(std::string(*payload));
  std::vector<std::string> fields;
  for (const auto& violation : bad_request.field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

constexpr char kPrinted[] = "0198b7a2-1111-7000-8000-000000000001";

TEST_CASE(
    "a bag gets the next number of its lot, and its first place is kept") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 40);
  REQUIRE(seeduwa.Receive(lot, 25'000).ok());
  const auto bag = seeduwa.Receive(lot, 24'900);
  REQUIRE(bag.ok());
  CHECK(bag->bag_number() == 2);
  CHECK(bag->net_grams() == 24'900);
  CHECK(bag->gross_grams() == 25'400);
  CHECK(bag->remaining_grams() == 24'900);
  CHECK(bag->allocated_grams() == 0);
  CHECK(bag->status() == v1::BAG_STATUS_ACCEPTED);
  CHECK(bag->source_name() == "Kenmare BOPF I-1");
  CHECK(bag->location() == "Store A");
  CHECK(seeduwa.rows.items.Find(lot)->received_bags == 2);
  CHECK(seeduwa.rows.items.Find(lot)->received_grams == 49'900);
  const auto& moves = seeduwa.rows.bag_moves.appended();
  REQUIRE(moves.size() == 2);
  CHECK(moves[1].barcode.ToString() == bag->barcode());
  CHECK_FALSE(moves[1].from_location_id.has_value());
  CHECK(moves[1].to_location_id == seeduwa.store);
  CHECK(seeduwa.audit_entries == 2);
}

TEST_CASE("no more bags of a tealine are received than were invoiced") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 2);
  REQUIRE(seeduwa.Receive(lot, 25'000).ok());
  REQUIRE(seeduwa.Receive(lot, 25'000).ok());
  CHECK(ReasonOf(seeduwa.Receive(lot, 25'000)) == "INVOICED_BAGS_RECEIVED");
  CHECK(seeduwa.rows.items.Find(lot)->received_bags == 2);
}

TEST_CASE("a blendbalance stays within its expected weight, to the gram") {
  Seeduwa seeduwa;
  const Uuid lot =
      seeduwa.AddItem(v1::MATERIAL_KIND_BLENDBALANCE, std::nullopt, 50'000);
  REQUIRE(seeduwa.Receive(lot, 30'000).ok());
  CHECK(ReasonOf(seeduwa.Receive(lot, 20'001)) == "EXPECTED_WEIGHT_EXCEEDED");
  CHECK(seeduwa.Receive(lot, 20'000).ok());
}

TEST_CASE("a herbline may exceed what was expected of it") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_HERBLINE);
  v1::BagReceipt receipt = seeduwa.Receipt(lot, 9'000'000);
  receipt.set_reference("HB/7");
  const auto bag = seeduwa.Receive(receipt);
  REQUIRE(bag.ok());
  CHECK(bag->reference() == "HB/7");
}

TEST_CASE("no more comes out of a batch than went in, tolerance included") {
  Seeduwa seeduwa;
  const Uuid batch = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                      v1::TRADER_STATE_UNSPECIFIED, 100'000);
  REQUIRE(seeduwa.Receive(batch, 60'000).ok());
  CHECK(ReasonOf(seeduwa.Receive(batch, 42'001)) == "BATCH_OUT_EXCEEDS_IN");
  REQUIRE(seeduwa.Receive(batch, 42'000).ok());
  const Batch& after = *seeduwa.rows.batches.Find(batch);
  CHECK(after.out_grams == 102'000);
  CHECK(after.out_bags == 2);
}

TEST_CASE("finished bags come out of a completed batch, too") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                   v1::TRADER_STATE_UNSPECIFIED, 100'000);
  Batch batch = *seeduwa.rows.batches.Find(id);
  batch.state = v1::BATCH_STATE_COMPLETED;
  seeduwa.rows.batches.Put(batch);
  CHECK(seeduwa.Receive(id, 60'000).ok());
}

TEST_CASE(
    "herbs lie in herb sections only, everything else outside them only") {
  Seeduwa seeduwa;
  v1::BagReceipt herb =
      seeduwa.Receipt(seeduwa.AddItem(v1::MATERIAL_KIND_HERBLINE), 10'000);
  herb.set_location("Store A");
  CHECK(ReasonOf(seeduwa.Receive(herb)) == "HERB_SECTION_RULE");
  v1::BagReceipt tea =
      seeduwa.Receipt(seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 1), 10'000);
  tea.set_location("Herbs 1");
  CHECK(ReasonOf(seeduwa.Receive(tea)) == "HERB_SECTION_RULE");
  CHECK(seeduwa.rows.bags.All().empty());
}

TEST_CASE("what is not there is told by its kind") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 1);
  v1::BagReceipt receipt = seeduwa.Receipt(lot, 10'000);
  receipt.set_location("Nowhere");
  CHECK(ReasonOf(seeduwa.Receive(receipt)) == "LOCATION_NOT_FOUND");
  receipt.set_item_id(kPrinted);
  CHECK(ReasonOf(seeduwa.Receive(receipt)) == "ITEM_NOT_FOUND");
  receipt.set_batch_id(kPrinted);
  CHECK(ReasonOf(seeduwa.Receive(receipt)) == "BATCH_NOT_FOUND");
}

TEST_CASE("a label printed before is used once") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 5);
  v1::BagReceipt receipt = seeduwa.Receipt(lot, 10'000);
  receipt.set_barcode(std::string("tealine:") + kPrinted);
  const auto bag = seeduwa.Receive(receipt);
  REQUIRE(bag.ok());
  CHECK(bag->barcode() == kPrinted);
  CHECK(ReasonOf(seeduwa.Receive(receipt)) == "BARCODE_TAKEN");
  CHECK(seeduwa.rows.items.Find(lot)->received_bags == 1);
}

TEST_CASE("a receipt that is wrong by itself is told every fault at once") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 5);
  v1::BagReceipt receipt = seeduwa.Receipt(lot, 10'000);
  receipt.set_tare_grams(receipt.gross_grams());
  receipt.set_reference("R");
  receipt.set_barcode(std::string("herbline:") + kPrinted);
  const auto bag = seeduwa.Receive(receipt);
  REQUIRE(ReasonOf(bag) == "INVALID_FIELDS");
  CHECK(ViolatedFields(bag.status()) ==
        std::vector<std::string>{"receipt.tare_grams", "receipt.reference",
                                 "receipt.barcode"});
}

TEST_CASE("in a batch call each bag is judged after the one before") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 3);
  v1::BatchReceiveBagsRequest request;
  for (int i = 0; i < 5; ++i)
    *request.add_receipts() = seeduwa.Receipt(lot, 10'000);
  request.mutable_receipts(0)->set_barcode(kPrinted);
  request.mutable_receipts(1)->set_barcode(
      kPrinted);  // taken by the one before
  const auto response = seeduwa.Run(DecideBatchReceiveBags, request);
  REQUIRE(response.ok());
  REQUIRE(response->results_size() == 5);
  CHECK(response->results(0).bag().bag_number() == 1);
  CHECK(ReasonOf(response->results(1).error()) == "BARCODE_TAKEN");
  CHECK(response->results(1).error().code() == 6);
  CHECK(response->results(2).bag().bag_number() == 2);
  CHECK(response->results(3).bag().bag_number() == 3);
  CHECK(ReasonOf(response->results(4).error()) == "INVOICED_BAGS_RECEIVED");

  SECTION("and the refused ones leave no trace") {
    CHECK(seeduwa.rows.bags.All().size() == 3);
    CHECK(seeduwa.rows.bag_moves.appended().size() == 3);
    CHECK(seeduwa.audit_entries == 3);
    CHECK(seeduwa.rows.items.Find(lot)->received_grams == 30'000);
  }
}

TEST_CASE("a move is kept, and one to where the bag lies already is not") {
  Seeduwa seeduwa;
  const Uuid other = seeduwa.AddLocation("Store B", false);
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 3);
  const auto bag = seeduwa.Receive(lot, 10'000);
  REQUIRE(bag.ok());
  v1::MoveBagRequest request;
  request.set_barcode(bag->barcode());
  request.set_location("Store B");
  for (int i = 0; i < 2; ++i) {
    const auto moved = seeduwa.Run(DecideMoveBag, request);
    REQUIRE(moved.ok());
    CHECK(moved->bag().location() == "Store B");
    CHECK(moved->bag().location_id() == other.ToString());
  }
  const auto& moves = seeduwa.rows.bag_moves.appended();
  REQUIRE(moves.size() == 2);
  CHECK(moves[1].from_location_id == seeduwa.store);
  CHECK(moves[1].to_location_id == other);
}

TEST_CASE("a bag moves neither into a herb section nor back from the road") {
  Seeduwa seeduwa;
  const Uuid lot = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 3);
  const auto received = seeduwa.Receive(lot, 10'000);
  REQUIRE(received.ok());
  v1::MoveBagRequest request;
  request.set_barcode(received->barcode());
  request.set_location_id(seeduwa.herbs.ToString());
  CHECK(ReasonOf(seeduwa.Run(DecideMoveBag, request)) == "HERB_SECTION_RULE");
  request.set_barcode("herbline:" + received->barcode());
  CHECK(ReasonOf(seeduwa.Run(DecideMoveBag, request)) == "BAG_NOT_FOUND");

  Bag bag = *seeduwa.rows.bags.Find(*Uuid::Parse(received->barcode()));
  bag.dispatched_by_hand = true;
  bag.status = v1::BAG_STATUS_DISPATCHED;
  seeduwa.rows.bags.Put(bag);
  request.set_barcode(received->barcode());
  request.set_location("Store A");
  CHECK(ReasonOf(seeduwa.Run(DecideMoveBag, request)) == "BAG_DISPATCHED");
}

}  // namespace
}  // namespace mtp::processing
