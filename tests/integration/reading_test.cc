// What a call reads of the database must not grow with what lies there: a
// statement that looks at all bags of a batch is quick in every other test, and
// slow in a plant.

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

// Rows that Seeduwa's database handed out so far, from tables and indexes. A
// connection tells its part at the latest when it ends.
int64_t RowsRead(Stack& stack) {
  const Sql database = stack.Database(SIDE_PROCESSING);
  stack.CutDatabaseConnections(SIDE_PROCESSING);
  REQUIRE(Eventually([&] {
    return database.Number(
               "SELECT n_tup_ins FROM pg_stat_user_tables "
               "WHERE relid = 'allocation'::regclass") ==
           database.Number("SELECT count(*) FROM allocation");
  }));
  return database.Number(
      "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + "
      "(SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)");
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
  const int64_t when_large = rows_per_call();
  INFO("rows read per call: " << when_small << ", then " << when_large);
  CHECK(when_large < when_small + kAllocations / 2);
  RequireAgreement(stack);
}

}  // namespace
}  // namespace mtp::tests
