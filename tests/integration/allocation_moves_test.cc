#include <catch2/catch.hpp>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

namespace pro = processing::v1;
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

constexpr char kAllocate[] =
    "mtp.processing.v1.AllocationService/AllocateToShipment";
constexpr char kMove[] = "mtp.processing.v1.AllocationService/MoveAllocation";
constexpr char kSetRule[] =
    "mtp.processing.v1.AllocationService/SetAllocationRule";

const Stack& TheStack() { return Stack::Shared(); }

std::string Reason(options::v1::Role role, std::string_view method,
                   const google::protobuf::Message& request) {
  const absl::Status status =
      TheStack().As(role, SIDE_PROCESSING).Send(method, request).status;
  return status.ok() ? "" : errors::Reason(status);
}

template <typename Response>
Response Done(options::v1::Role role, std::string_view method,
              const google::protobuf::Message& request) {
  const auto response = TheStack().Call<Response>(role, method, request);
  INFO(response.status());
  REQUIRE(response.ok());
  return *response;
}

pro::SetAllocationRuleRequest ShipBlends(bool allowed) {
  pro::SetAllocationRuleRequest request;
  request.set_kind(pro::MATERIAL_KIND_BLENDSHEET);
  request.set_target(pro::ALLOCATION_TARGET_KIND_SHIPMENT);
  request.set_allowed(allowed);
  return request;
}

int64_t AllocatedGrams(const Story& story) {
  return TheStack()
      .Database(SIDE_PROCESSING)
      .Number(
          "SELECT allocated_grams FROM shipment WHERE request_code = $1 AND "
          "shipment_code = 1",
          {absl::StrCat(story.shipment.request_code())});
}

TEST_CASE("a closed cell stops what goes on at that moment, and only that") {
  Story story(Stack::Shared());
  story.DoUntil(kAllocate);
  const Client operators =
      TheStack().As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  const Client admin = TheStack().As(ROLE_SEEDUWA_ADMIN, SIDE_PROCESSING);
  const auto allocate = [&](size_t bag) {
    pro::AllocateToShipmentRequest request;
    *request.mutable_shipment() = story.shipment;
    request.set_grams(1'000);
    request.set_barcode(story.blend_bags[bag]);
    return request;
  };
  constexpr int kClients = 16;
  constexpr int kAdmin = 7;
  std::vector<absl::Status> statuses(kClients);
  AtOnce(kClients, [&](int i) {
    statuses[static_cast<size_t>(i)] =
        i == kAdmin
            ? admin.Send(kSetRule, ShipBlends(false)).status
            : operators.Send(kAllocate, allocate(static_cast<size_t>(i) % 8))
                  .status;
  });
  const std::string closed =
      Reason(ROLE_SEEDUWA_OPERATOR, kAllocate, allocate(0));
  const pro::AllocationRule opened =
      Done<pro::SetAllocationRuleResponse>(ROLE_SEEDUWA_ADMIN, kSetRule,
                                           ShipBlends(true))
          .rule();
  int64_t done = 0;
  for (int i = 0; i < kClients; ++i) {
    const absl::Status& status = statuses[static_cast<size_t>(i)];
    if (i == kAdmin) {
      CHECK(status.ok());
    } else if (status.ok()) {
      ++done;
    } else {
      CHECK(errors::Reason(status) == "NOT_ALLOCATABLE");
    }
  }
  CHECK(closed == "NOT_ALLOCATABLE");
  // What was done before stays.
  CHECK(AllocatedGrams(story) == done * 1'000);
  CHECK(Reason(ROLE_SEEDUWA_OPERATOR, kAllocate, allocate(0)) == "");

  CHECK(opened.allowed());
  CHECK(opened.changed_by().role() == ROLE_SEEDUWA_ADMIN);
  pro::ListAllocationRulesRequest list;
  list.set_kind(pro::MATERIAL_KIND_BLENDSHEET);
  list.set_target(pro::ALLOCATION_TARGET_KIND_SHIPMENT);
  const auto rules = Done<pro::ListAllocationRulesResponse>(
      ROLE_SEEDUWA_OPERATOR,
      "mtp.processing.v1.AllocationService/ListAllocationRules", list);
  REQUIRE(rules.rules_size() == 1);
  CHECK(rules.rules(0).etag() == opened.etag());
  RequireAgreement(TheStack());
}

TEST_CASE("of two admins who read the same cell one is told to read again") {
  pro::ListAllocationRulesRequest list;
  list.set_kind(pro::MATERIAL_KIND_HERBLINE);
  list.set_target(pro::ALLOCATION_TARGET_KIND_SHIPMENT);
  pro::SetAllocationRuleRequest request;
  request.set_kind(list.kind());
  request.set_target(list.target());
  request.set_etag(
      Done<pro::ListAllocationRulesResponse>(
          ROLE_SEEDUWA_ADMIN,
          "mtp.processing.v1.AllocationService/ListAllocationRules", list)
          .rules(0)
          .etag());
  const Client admin = TheStack().As(ROLE_SEEDUWA_ADMIN, SIDE_PROCESSING);
  std::vector<absl::Status> statuses(8);
  AtOnce(8, [&](int i) {
    statuses[static_cast<size_t>(i)] = admin.Send(kSetRule, request).status;
  });
  std::map<std::string, int> outcomes;
  for (const absl::Status& status : statuses)
    ++outcomes[status.ok() ? "" : errors::Reason(status)];
  CHECK(outcomes == std::map<std::string, int>{{"", 1}, {"ETAG_MISMATCH", 7}});
}

TEST_CASE("sixteen clients move no gram more than an allocation has") {
  Story from(Stack::Shared());
  Story to(Stack::Shared());
  from.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  to.DoSteps(1, 2);
  to.Do(to.Find("mtp.processing.v1.OutboundService/MarkShipmentReady"));
  // 10 kg each of the 50 kg that are there.
  pro::MoveAllocationRequest move;
  move.set_allocation_id(from.shipment_allocations[0]);
  *move.mutable_shipment() = to.shipment;
  move.set_grams(Story::kBlendBagGrams / 5);
  std::vector<absl::Status> statuses(16);
  const Client operators =
      TheStack().As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  AtOnce(16, [&](int i) {
    statuses[static_cast<size_t>(i)] = operators.Send(kMove, move).status;
  });
  std::map<std::string, int> outcomes;
  for (const absl::Status& status : statuses)
    ++outcomes[status.ok() ? "" : errors::Reason(status)];
  CHECK(outcomes ==
        std::map<std::string, int>{{"", 5}, {"ALLOCATION_RELEASED", 11}});
  CHECK(AllocatedGrams(from) == Story::kOrderedGrams - Story::kBlendBagGrams);
  CHECK(AllocatedGrams(to) == Story::kBlendBagGrams);
  RequireAgreement(TheStack());
}

TEST_CASE("a move there and one back at the same moment wait for no deadlock") {
  Story one(Stack::Shared());
  Story other(Stack::Shared());
  for (Story* story : {&one, &other}) {
    story->DoUntil(kAllocate);
    story->Do(story->Find(kAllocate));
  }
  const auto move = [](const Story& from, const Story& to) {
    pro::MoveAllocationRequest request;
    request.set_allocation_id(from.shipment_allocations[0]);
    *request.mutable_shipment() = to.shipment;
    request.set_grams(1'000);
    return request;
  };
  const Client operators =
      TheStack().As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  std::vector<absl::Status> statuses(32);
  AtOnce(32, [&](int i) {
    statuses[static_cast<size_t>(i)] =
        operators.Send(kMove, i % 2 == 0 ? move(one, other) : move(other, one))
            .status;
  });
  for (const absl::Status& status : statuses) CHECK(status.ToString() == "OK");
  CHECK(AllocatedGrams(one) == Story::kBlendBagGrams);
  CHECK(AllocatedGrams(other) == Story::kBlendBagGrams);
  RequireAgreement(TheStack());
}

}  // namespace
}  // namespace mtp::tests
