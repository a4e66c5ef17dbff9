#include <catch2/catch.hpp>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using options::v1::ROLE_SEEDUWA_OPERATOR;
using processing::v1::AllocateToShipmentRequest;
using processing::v1::AllocateToShipmentResponse;

constexpr int64_t kKilogram = 1'000;

// What became of as many calls as there were, by reason; "" counts those done.
using Outcomes = std::map<std::string, int>;

// So many clients ask for so much of a bag at the same moment.
Outcomes AskAtOnce(const Story& story, int clients,
                   const std::function<std::string(int)>& barcode,
                   int64_t grams) {
  const Client operators =
      story.stack().As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  std::vector<absl::Status> statuses(static_cast<size_t>(clients));
  AtOnce(clients, [&](int i) {
    AllocateToShipmentRequest request;
    request.set_request_id(NewRequestId());
    request.set_barcode(barcode(i));
    *request.mutable_shipment() = story.shipment;
    request.set_grams(grams);
    statuses[static_cast<size_t>(i)] =
        operators
            .Send("mtp.processing.v1.AllocationService/AllocateToShipment",
                  request)
            .status;
  });
  Outcomes outcomes;
  for (const absl::Status& status : statuses) {
    ++outcomes[status.ok() ? "" : errors::Reason(status)];
  }
  return outcomes;
}

int64_t Remaining(const Story& story, const std::string& barcode) {
  return story.stack()
      .Database(SIDE_PROCESSING)
      .Number("SELECT remaining_grams FROM bag WHERE barcode = $1", {barcode});
}

int64_t Allocated(const Story& story) {
  return story.stack()
      .Database(SIDE_PROCESSING)
      .Number(
          "SELECT allocated_grams FROM shipment "
          "WHERE request_code = $1 AND shipment_code = $2",
          {absl::StrCat(story.shipment.request_code()),
           absl::StrCat(story.shipment.shipment_code())});
}

// A shipment that waits for goods and bags that may go to it.
void MakeReady(Story& story) {
  story.DoUntil("mtp.processing.v1.AllocationService/AllocateToShipment");
}

TEST_CASE("64 clients never get a gram more out of a bag than was in it") {
  Story story(Stack::Shared());
  MakeReady(story);
  const std::string bag = story.blend_bags[0];
  const Outcomes outcomes = AskAtOnce(
      story, 64, [&](int) { return bag; }, kKilogram);
  CHECK(outcomes == Outcomes{{"", 50}, {"INSUFFICIENT_REMAINING", 14}});
  CHECK(Remaining(story, bag) == 0);
  CHECK(Allocated(story) == Story::kBlendBagGrams);
  RequireAgreement(story.stack());
}

TEST_CASE("64 clients never give a shipment a gram more than it needs") {
  Story story(Stack::Shared());
  MakeReady(story);
  // 64 times 10 kg are more than the 500 kg it needs, and less than there is.
  const Outcomes outcomes = AskAtOnce(
      story, 64,
      [&](int i) {
        return story.blend_bags[static_cast<size_t>(i) % Story::kBlendBagCount];
      },
      10 * kKilogram);
  CHECK(outcomes.at("") == 50);
  CHECK(outcomes.at("SHIPMENT_NEEDS_LESS") +
            (outcomes.contains("INSUFFICIENT_REMAINING")
                 ? outcomes.at("INSUFFICIENT_REMAINING")
                 : 0) ==
        14);
  CHECK(Allocated(story) == Story::kOrderedGrams);
  RequireAgreement(story.stack());
}

TEST_CASE("two clients cannot both take the last kilogram") {
  Story story(Stack::Shared());
  MakeReady(story);
  for (const std::string& bag : {story.blend_bags[0], story.blend_bags[1],
                                 story.blend_bags[2], story.blend_bags[3]}) {
    REQUIRE(AskAtOnce(
                story, 1, [&](int) { return bag; },
                Story::kBlendBagGrams - kKilogram) == Outcomes{{"", 1}});
    CHECK(AskAtOnce(
              story, 2, [&](int) { return bag; }, kKilogram) ==
          Outcomes{{"", 1}, {"INSUFFICIENT_REMAINING", 1}});
    CHECK(Remaining(story, bag) == 0);
  }
  RequireAgreement(story.stack());
}

TEST_CASE(
    "who allocates and who releases never wait for each other in a circle") {
  Story story(Stack::Shared());
  MakeReady(story);
  const Sql database = story.stack().Database(SIDE_PROCESSING);
  const auto deadlocks = [&] {
    return database.Number(
        "SELECT deadlocks FROM pg_stat_database "
        "WHERE datname = current_database()");
  };
  const int64_t deadlocks_before = deadlocks();
  const Client operators =
      story.stack().As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  // Each client gives from one bag after another and takes back what it gave:
  // a batch of the service then names some bags by barcode, and others by what
  // was allocated of them.
  constexpr int kClients = 16;
  constexpr int kRounds = 20;
  std::vector<std::string> refusals(kClients);
  AtOnce(kClients, [&](int client) {
    for (int round = 0; round < kRounds; ++round) {
      AllocateToShipmentRequest request;
      request.set_request_id(NewRequestId());
      request.set_barcode(story.blend_bags[static_cast<size_t>(
          (client + round) % Story::kBlendBagCount)]);
      *request.mutable_shipment() = story.shipment;
      request.set_grams(kKilogram);
      const auto given = operators.Call<AllocateToShipmentResponse>(
          "mtp.processing.v1.AllocationService/AllocateToShipment", request);
      absl::Status status = given.status();
      if (given.ok()) {
        processing::v1::ReleaseAllocationRequest release;
        release.set_request_id(NewRequestId());
        release.set_allocation_id(given->allocation().allocation_id());
        release.set_remarks("Test");
        status = operators
                     .Send(
                         "mtp.processing.v1.AllocationService/"
                         "ReleaseAllocation",
                         release)
                     .status;
      }
      if (!status.ok()) {
        refusals[static_cast<size_t>(client)] = status.ToString();
      }
    }
  });
  CHECK(refusals == std::vector<std::string>(kClients));
  CHECK(Allocated(story) == 0);
  CHECK(deadlocks() == deadlocks_before);
  RequireAgreement(story.stack());
}

TEST_CASE("a refused allocation says what was asked and what remains") {
  Story story(Stack::Shared());
  MakeReady(story);
  AllocateToShipmentRequest request;
  request.set_barcode(story.blend_bags[0]);
  *request.mutable_shipment() = story.shipment;
  request.set_grams(Story::kBlendBagGrams + 1);
  const absl::Status status =
      story.stack()
          .As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING)
          .Send("mtp.processing.v1.AllocationService/AllocateToShipment",
                request)
          .status;
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(Value(status, "barcode") == story.blend_bags[0]);
  CHECK(Value(status, "asked_grams") ==
        absl::StrCat(Story::kBlendBagGrams + 1));
  CHECK(Value(status, "remaining_grams") ==
        absl::StrCat(Story::kBlendBagGrams));
}

TEST_CASE("a shipment that needs less than a bag has refuses the rest of it") {
  Story story(Stack::Shared());
  MakeReady(story);
  for (int64_t i = 0; i + 1 < Story::kShippedBagCount; ++i) {
    REQUIRE(AskAtOnce(
                story, 1,
                [&](int) { return story.blend_bags[static_cast<size_t>(i)]; },
                Story::kBlendBagGrams) == Outcomes{{"", 1}});
  }
  const std::string next_to_last =
      story.blend_bags[Story::kShippedBagCount - 1];
  const std::string last = story.blend_bags[Story::kShippedBagCount];
  REQUIRE(AskAtOnce(
              story, 1, [&](int) { return next_to_last; },
              Story::kBlendBagGrams / 2) == Outcomes{{"", 1}});
  CHECK(AskAtOnce(
            story, 1, [&](int) { return last; }, Story::kBlendBagGrams) ==
        Outcomes{{"SHIPMENT_NEEDS_LESS", 1}});
  CHECK(AskAtOnce(
            story, 1, [&](int) { return last; }, Story::kBlendBagGrams / 2) ==
        Outcomes{{"", 1}});
  CHECK(Allocated(story) == Story::kOrderedGrams);
}

}  // namespace
}  // namespace mtp::tests
