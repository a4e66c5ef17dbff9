// What a call reads of the database must not grow with what lies there: a
// statement that looks at all bags of a batch is quick in every other test, and
// slow in a plant.

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

// Rows of what runs beside the calls, and of plans that change as tables grow.
constexpr int64_t kSlack = 50;

// Rows that Seeduwa's database handed out so far, from tables and indexes. A
// connection tells its part at the latest when it ends.
int64_t RowsRead(Stack& stack) {
  const Sql database = stack.Database(SIDE_PROCESSING);
  const Sql::Rows before = database.Query(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
      "AND usename = 'mtp_app'");
  stack.CutDatabaseConnections(SIDE_PROCESSING);
  for (const std::vector<std::string>& backend : before) {
    REQUIRE(Eventually([&] {
      return database.Number(
                 "SELECT count(*) FROM pg_stat_activity WHERE pid = $1",
                 {backend[0]}) == 0;
    }));
  }
  REQUIRE(Eventually([&] {
    return database.Number(
               "SELECT sum(n_tup_ins) FROM pg_stat_user_tables "
               "WHERE relname IN ('allocation', 'bag')") >=
           database.Number(
               "SELECT (SELECT count(*) FROM allocation) + "
               "(SELECT count(*) FROM bag)");
  }));
  return database.Number(
      "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + "
      "(SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)");
}

// The planner knows the tables, as it does in a plant.
void Analyze(Stack& stack) {
  stack.Owner(SIDE_PROCESSING)
      .Query(
          "ANALYZE item, batch, bag, bag_move, allocation, shipment, location");
}

void Allocate(const Story& story, int times) {
  AllocateToShipmentRequest request;
  request.set_barcode(story.blend_bags[0]);
  *request.mutable_shipment() = story.shipment;
  request.set_grams(1);
  for (int i = 0; i < times; ++i) {
    request.set_request_id(NewRequestId());
    REQUIRE(Eventually([&] {
      return story.stack()
          .Call<AllocateToShipmentResponse>(
              ROLE_SEEDUWA_OPERATOR,
              "mtp.processing.v1.AllocationService/AllocateToShipment", request)
          .ok();
    }));
  }
}

// Bags of the story's batch, from before.
void AddBags(const Story& story, int count) {
  ImportOpeningStockRequest file;
  file.set_request_id(NewRequestId());
  file.set_file_name("stock.csv");
  file.set_file_digest(FileDigest(story.blend_code));
  for (int i = 0; i < count; ++i) {
    OpeningStockRow& row = *file.add_rows();
    row.set_line_number(i + 2);
    row.set_kind("blendsheet");
    row.set_code("BS-" + story.blend_code);
    row.set_batch_number("1");
    row.set_barcode("blendsheet:" + NewRequestId());
    row.set_location(story.location);
    row.set_gross("50.5");
    row.set_tare("0.5");
    row.set_received("08/11/2025");
  }
  const auto imported = story.stack().Call<ImportOpeningStockResponse>(
      ROLE_SEEDUWA_ADMIN, "mtp.processing.v1.BagService/ImportOpeningStock",
      file);
  REQUIRE(imported.ok());
  INFO(imported->DebugString());
  REQUIRE(imported->stored());
}

// Bags of the story's herbs, weighed in one by one.
void Receive(const Story& story, const std::string& item_id,
             const std::string& place, int times) {
  ReceiveBagRequest request;
  request.mutable_receipt()->set_item_id(item_id);
  request.mutable_receipt()->set_location(place);
  request.mutable_receipt()->set_gross_grams(100);
  for (int i = 0; i < times; ++i) {
    request.set_request_id(NewRequestId());
    REQUIRE(Eventually([&] {
      return story.stack()
          .Call<ReceiveBagResponse>(ROLE_SEEDUWA_OPERATOR,
                                    "mtp.processing.v1.BagService/ReceiveBag",
                                    request)
          .ok();
    }));
  }
}

TEST_CASE("what a receipt reads does not grow with its lot") {
  constexpr int kCalls = 20;
  Stack stack;
  Story story(stack);
  story.DoUntil("mtp.processing.v1.AllocationService/AllocateToShipment");
  CreateLocationRequest room;
  room.mutable_location()->set_name("Herbs of the reading test");
  room.mutable_location()->set_herb_section(true);
  REQUIRE(stack
              .Call<CreateLocationResponse>(
                  ROLE_SEEDUWA_ADMIN,
                  "mtp.processing.v1.LocationService/CreateLocation", room)
              .ok());
  CreateHerblineRequest lot;
  lot.mutable_herbline()->set_item_code("H-" + story.blend_code);
  lot.mutable_herbline()->set_name("Lemongrass");
  lot.mutable_herbline()->set_expected_grams(1'000'000);
  const auto herbs = stack.Call<CreateHerblineResponse>(
      ROLE_SEEDUWA_ADMIN, "mtp.processing.v1.MaterialService/CreateHerbline",
      lot);
  INFO(herbs.status());
  REQUIRE(herbs.ok());
  const auto receive = [&](int times) {
    Receive(story, herbs->herbline().item_id(), room.location().name(), times);
  };
  const auto rows_per_call = [&] {
    const int64_t before = RowsRead(stack);
    receive(kCalls);
    return (RowsRead(stack) - before) / kCalls;
  };
  const int64_t when_small = rows_per_call();
  constexpr int kBags = 400;
  receive(kBags);
  Analyze(stack);
  const int64_t when_large = rows_per_call();
  INFO("rows read per call: " << when_small << ", then " << when_large);
  CHECK(when_large < when_small + kSlack);
  RequireAgreement(stack);
}

TEST_CASE("what an allocation reads does not grow with the store") {
  constexpr int kCalls = 20;
  constexpr int kBags = 2'000;
  constexpr int kAllocations = 300;
  Stack stack;
  Story story(stack);
  story.DoUntil("mtp.processing.v1.AllocationService/AllocateToShipment");
  const auto rows_per_call = [&] {
    const int64_t before = RowsRead(stack);
    Allocate(story, kCalls);
    return (RowsRead(stack) - before) / kCalls;
  };
  const int64_t when_small = rows_per_call();
  AddBags(story, kBags);
  Allocate(story, kAllocations);
  Analyze(stack);
  const int64_t when_large = rows_per_call();
  INFO("rows read per call: " << when_small << ", then " << when_large);
  // Beside the calls the link reads what the shipment has, now and then.
  CHECK(when_large < when_small + kAllocations / 2);
  RequireAgreement(stack);
}

}  // namespace
}  // namespace mtp::tests
