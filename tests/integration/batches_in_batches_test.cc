// What a batch is made of, through all batches in it.

#include <catch2/catch.hpp>

#include "common/base/errors.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

namespace pro = processing::v1;
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;
using options::v1::ROLE_TRADER_SUPERVISOR;

constexpr char kToBatch[] =
    "mtp.processing.v1.AllocationService/AllocateToBatch";
constexpr char kToShipment[] =
    "mtp.processing.v1.AllocationService/AllocateToShipment";

std::string Reason(const absl::Status& status) {
  return status.ok() ? "" : errors::Reason(status);
}

// Does what comes before that call, but for completing the batch.
void DoUntil(Story& story, std::string_view method) {
  for (const Act& act : story.acts()) {
    if (act.method == method) return;
    if (!act.method.ends_with("/CompleteBatch")) story.Do(act);
  }
}

std::string IntoBatch(const Story& story, const std::string& barcode,
                      const std::string& batch_id) {
  pro::AllocateToBatchRequest request;
  request.set_barcode(barcode);
  request.set_batch_id(batch_id);
  request.set_grams(10'000);
  return Reason(story.stack()
                    .Call<pro::AllocateToBatchResponse>(ROLE_SEEDUWA_OPERATOR,
                                                        kToBatch, request)
                    .status());
}

std::string IntoShipment(const Story& story, const std::string& barcode) {
  pro::AllocateToShipmentRequest request;
  request.set_barcode(barcode);
  *request.mutable_shipment() = story.shipment;
  request.set_grams(1'000);
  return Reason(story.stack()
                    .Call<pro::AllocateToShipmentResponse>(
                        ROLE_SEEDUWA_OPERATOR, kToShipment, request)
                    .status());
}

pro::Clearance ClearanceOf(const Story& story, const std::string& barcode) {
  pro::ScanBagRequest request;
  request.set_barcode(barcode);
  const auto scanned = story.stack().Call<pro::ScanBagResponse>(
      ROLE_SEEDUWA_OPERATOR, "mtp.processing.v1.BagService/ScanBag", request);
  REQUIRE(scanned.ok());
  return scanned->scan().clearance();
}

void LetBlendsGoIntoBlends(Stack& stack) {
  pro::SetAllocationRuleRequest rule;
  rule.set_kind(pro::MATERIAL_KIND_BLENDSHEET);
  rule.set_target(pro::ALLOCATION_TARGET_KIND_BLENDSHEET_BATCH);
  rule.set_allowed(true);
  REQUIRE(stack
              .Call<pro::SetAllocationRuleResponse>(
                  ROLE_SEEDUWA_ADMIN,
                  "mtp.processing.v1.AllocationService/SetAllocationRule", rule)
              .ok());
}

void Block(const Story& story) {
  pro::BlockBatchRequest block;
  block.set_batch_id(story.batch_id);
  block.set_remarks("mould");
  REQUIRE(story.stack()
              .Call<pro::BlockBatchResponse>(
                  ROLE_TRADER_SUPERVISOR,
                  "mtp.processing.v1.BatchService/BlockBatch", block)
              .ok());
}

TEST_CASE("a blend that is blocked blocks all that was made of it") {
  Stack stack;
  LetBlendsGoIntoBlends(stack);
  Story first(stack);
  Story second(stack);
  Story third(stack);
  for (Story* story : {&first, &second, &third}) DoUntil(*story, kToShipment);
  // The third has some of the second in it, which has some of the first.
  CHECK(IntoBatch(first, first.blend_bags[0], second.batch_id) == "");
  CHECK(IntoBatch(second, second.blend_bags[0], third.batch_id) == "");
  CHECK(ClearanceOf(third, third.blend_bags[0]) == pro::CLEARANCE_CLEARED);
  CHECK(IntoShipment(third, third.blend_bags[0]) == "");

  SECTION("blocked at the far end") {
    Block(first);
    for (const Story* story : {&first, &second, &third}) {
      CHECK(ClearanceOf(*story, story->blend_bags[0]) ==
            pro::CLEARANCE_BLOCKED);
      CHECK(IntoShipment(*story, story->blend_bags[0]) == "BATCH_BLOCKED");
    }
    CHECK(IntoBatch(third, third.blend_bags[0], first.batch_id) ==
          "BATCH_BLOCKED");
  }
  SECTION("nothing goes round in a circle") {
    CHECK(IntoBatch(first, first.blend_bags[0], first.batch_id) ==
          "BATCH_IN_ITSELF");
    CHECK(IntoBatch(second, second.blend_bags[0], first.batch_id) ==
          "BATCH_IN_ITSELF");
    CHECK(IntoBatch(third, third.blend_bags[0], first.batch_id) ==
          "BATCH_IN_ITSELF");
    CHECK(IntoBatch(first, first.blend_bags[0], third.batch_id) == "");
  }
  RequireAgreement(stack);
}

TEST_CASE("what left the site is made of what it was made of then") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  DoUntil(story, "mtp.order.v1.ShipmentService/AcceptShipment");
  const std::string unused = story.tea_bags[Story::kBlendedTeaBagCount];
  CHECK(IntoBatch(story, unused, story.batch_id) == "BATCH_DISPATCHED");
  pro::ReleaseAllocationRequest release;
  release.set_allocation_id(
      stack.Database(SIDE_PROCESSING)
          .Text("SELECT allocation_id FROM allocation WHERE batch_id = $1 "
                "ORDER BY allocation_id LIMIT 1",
                {story.batch_id}));
  release.set_grams(1);
  CHECK(Reason(stack
                   .Call<pro::ReleaseAllocationResponse>(
                       ROLE_SEEDUWA_OPERATOR,
                       "mtp.processing.v1.AllocationService/ReleaseAllocation",
                       release)
                   .status()) == "BATCH_DISPATCHED");
  RequireAgreement(stack);
}

}  // namespace
}  // namespace mtp::tests
