#include <catch2/catch.hpp>
#include <map>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

namespace pro = processing::v1;
using namespace options::v1;  // the roles

constexpr int kClients = 64;
constexpr int kRounds = 16;
// So little that most calls are done, and meet.
constexpr int64_t kPartGrams = 200;
constexpr int64_t kKilogram = 1'000;

// What became of as many calls as there were, by reason; "" counts those done.
class Outcomes {
 public:
  void Add(const absl::Status& status) {
    std::lock_guard lock(mutex_);
    ++outcomes_[status.ok() ? "" : errors::Reason(status)];
  }
  int Of(const std::string& reason) const {
    const auto found = outcomes_.find(reason);
    return found == outcomes_.end() ? 0 : found->second;
  }
  std::string Text() const {
    std::string text;
    for (const auto& [reason, times] : outcomes_)
      absl::StrAppend(&text, reason, " ", times, "\n");
    return text;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> outcomes_;
};

// The calls that can touch one bag of tea, by one client each.
class Crowd {
 public:
  explicit Crowd(const Story& story)
      : story_(story), bag_(story.tea_bags.back()) {}

  // What there is to be released.
  void GiveSome() {
    for (int i = 0; i < 8; ++i) {
      if (i % 2 == 0) {
        Learn<pro::AllocateToShipmentResponse>(ToShipment());
      } else {
        Learn<pro::AllocateToBatchResponse>(ToBatch());
      }
    }
  }

  absl::Status Act(int client, int round) {
    switch (client % 8) {
      case 0:
      case 1:
        return ToShipment().status;
      case 2:
      case 3:
        return ToBatch().status;
      case 4:
        return WriteOff().status;
      case 5:
        return Correct(client + round).status;
      case 6:
        return client % 16 == 6 ? Count(client + round).status : Move().status;
      default:
        return Release(client).status;
    }
  }

 private:
  template <typename Response>
  void Learn(const Reply& reply) {
    Response given;
    REQUIRE(reply.status.ok());
    REQUIRE(given.ParseFromString(reply.bytes()));
    allocations_.push_back(given.allocation().allocation_id());
  }
  Reply Send(Role role, std::string_view method,
             google::protobuf::Message& request) const {
    SetRequestId(request, NewRequestId());
    return story_.stack().As(role, SIDE_PROCESSING).Send(method, request);
  }
  Reply ToShipment() const {
    pro::AllocateToShipmentRequest request;
    request.set_barcode(bag_);
    *request.mutable_shipment() = story_.shipment;
    request.set_grams(kPartGrams);
    return Send(ROLE_SEEDUWA_OPERATOR,
                "mtp.processing.v1.AllocationService/AllocateToShipment",
                request);
  }
  Reply ToBatch() const {
    pro::AllocateToBatchRequest request;
    request.set_barcode(bag_);
    request.set_batch_id(story_.batch_id);
    request.set_grams(kPartGrams);
    return Send(ROLE_SEEDUWA_OPERATOR,
                "mtp.processing.v1.AllocationService/AllocateToBatch", request);
  }
  Reply Release(int client) const {
    pro::ReleaseAllocationRequest request;
    request.set_allocation_id(
        allocations_[static_cast<size_t>(client / 8) % allocations_.size()]);
    request.set_grams(kPartGrams / 4);
    return Send(ROLE_SEEDUWA_OPERATOR,
                "mtp.processing.v1.AllocationService/ReleaseAllocation",
                request);
  }
  Reply WriteOff() const {
    pro::WriteOffBagRequest request;
    request.set_barcode(bag_);
    request.set_grams(kPartGrams);
    request.set_reason(pro::WRITE_OFF_REASON_SPILLAGE);
    return Send(ROLE_SEEDUWA_OPERATOR,
                "mtp.processing.v1.BagService/WriteOffBag", request);
  }
  Reply Correct(int by) const {
    pro::CorrectBagRequest request;
    request.set_barcode(bag_);
    request.set_gross_grams(Story::kTeaBagGrams + by * 10);
    request.set_tare_grams(by % 5);
    request.set_reason("weighed again");
    return Send(ROLE_SEEDUWA_OFFICER, "mtp.processing.v1.BagService/CorrectBag",
                request);
  }
  Reply Count(int by) const {
    pro::RecordStocktakeRequest request;
    request.set_location_id(story_.location_id);
    request.set_reason("counted");
    pro::StocktakeCount& count = *request.add_counts();
    count.set_barcode(bag_);
    count.set_remaining_grams(15 * kKilogram + by);
    return Send(ROLE_SEEDUWA_ADMIN,
                "mtp.processing.v1.BagService/RecordStocktake", request);
  }
  Reply Move() const {
    pro::MoveBagRequest request;
    request.set_barcode(bag_);
    request.set_location_id(story_.location_id);
    return Send(ROLE_SEEDUWA_OPERATOR, "mtp.processing.v1.BagService/MoveBag",
                request);
  }

  const Story& story_;
  const std::string bag_;
  std::vector<std::string> allocations_;
};

int64_t Deadlocks(const Stack& stack) {
  return stack.Database(SIDE_PROCESSING)
      .Number(
          "SELECT deadlocks FROM pg_stat_database "
          "WHERE datname = current_database()");
}

TEST_CASE("64 clients at one bag, whatever they want of it, lose not a gram") {
  Story story(Stack::Shared());
  story.DoUntil("mtp.processing.v1.BatchService/CompleteBatch");
  REQUIRE(Eventually([&] { return story.AtSeeduwa().has_key(); }));
  const int64_t deadlocks = Deadlocks(story.stack());
  Crowd crowd(story);
  crowd.GiveSome();
  Outcomes outcomes;
  // Without a pause between their calls, so that no lane waits for another.
  AtOnce(kClients, [&](int client) {
    for (int round = 0; round < kRounds; ++round)
      outcomes.Add(crowd.Act(client, round));
  });
  INFO(outcomes.Text());
  // Everybody was answered, and every answer is one of the rules.
  int answered = 0;
  for (const char* reason :
       {"", "INSUFFICIENT_REMAINING", "CORRECTION_BELOW_USED",
        "ALLOCATION_RELEASED", "ALLOCATION_HAS_LESS", "BATCH_OUT_EXCEEDS_IN"}) {
    answered += outcomes.Of(reason);
  }
  CHECK(answered == kRounds * kClients);
  CHECK(outcomes.Of("") > kClients);
  CHECK(Deadlocks(story.stack()) == deadlocks);
  RequireAgreement(story.stack());
}

TEST_CASE("64 clients never make more of a shipped bag than left in it") {
  Story story(Stack::Shared());
  story.DoUntil("mtp.order.v1.ScheduleService/CompleteSchedule");
  REQUIRE(Eventually([&] {
    return story.AtSeeduwa().status() ==
           common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED;
  }));
  // The first two bags have parcels already.
  const std::string bag = story.blend_bags[2];
  const std::string allocation = story.shipment_allocations[2];
  const Client operators =
      story.stack().As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  const Client machines =
      story.stack().As(ROLE_GRANDPASS_DEV_MACHINE, SIDE_PROCESSING);
  Outcomes outcomes;
  AtOnce(kClients, [&](int client) {
    if (client % 2 == 0) {
      pro::ReturnBagRequest request;
      request.set_request_id(NewRequestId());
      request.set_barcode(bag);
      request.set_location(story.location);
      request.set_gross_grams(kKilogram);
      *request.mutable_shipment() = story.shipment;
      outcomes.Add(
          operators.Send("mtp.processing.v1.BagService/ReturnBag", request)
              .status);
    } else {
      pro::CreateParcelRequest request;
      request.set_request_id(NewRequestId());
      request.set_allocation_id(allocation);
      request.set_schedule_code(story.schedule_code);
      request.set_grams(kKilogram);
      outcomes.Add(
          machines
              .Send("mtp.processing.v1.AllocationService/CreateParcel", request)
              .status);
    }
  });
  INFO(outcomes.Text());
  CHECK(outcomes.Of("") == Story::kBlendBagGrams / kKilogram);
  CHECK(outcomes.Of("RETURN_EXCEEDS_DISPATCHED") +
            outcomes.Of("PARCELS_EXCEED_ALLOCATION") ==
        kClients - Story::kBlendBagGrams / kKilogram);
  RequireAgreement(story.stack());
}

}  // namespace
}  // namespace mtp::tests
