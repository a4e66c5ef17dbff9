#include <catch2/catch.hpp>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using namespace order::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_GRANDPASS_OFFICER;

constexpr char kCreate[] = "mtp.order.v1.RequestService/CreateRequest";
constexpr int kClients = 64;
constexpr int64_t kPlanned = 4'240'000;
constexpr int64_t kAsked = 100'000;

using Outcomes = std::map<std::string, int>;  // by reason, "" for done

CreateRequestRequest Asking(const Story& story, int64_t grams) {
  CreateRequestRequest request;
  request.mutable_request()->set_order_code(story.order_code);
  request.mutable_request()->set_requirement_grams(grams);
  return request;
}

int64_t Allowed(const Story& story) {
  GetPlanRequest get;
  get.set_order_code(story.order_code);
  return story.stack()
      .Call<GetPlanResponse>(ROLE_GRANDPASS_OFFICER,
                             "mtp.order.v1.PlanService/GetPlan", get)
      .value()
      .plan()
      .allowed_grams();
}

Outcomes Count(const std::vector<Reply>& replies) {
  Outcomes outcomes;
  for (const Reply& reply : replies) {
    ++outcomes[reply.status.ok() ? "" : errors::Reason(reply.status)];
  }
  return outcomes;
}

TEST_CASE("64 clients never ask a gram more of a plan than it allows") {
  Story story(Stack::Shared());
  story.DoSteps(1, 1);
  const Client officer = story.stack().As(ROLE_GRANDPASS_OFFICER, SIDE_ORDER);
  std::vector<Reply> replies(kClients);
  AtOnce(kClients, [&](int i) {
    replies[static_cast<size_t>(i)] =
        officer.Send(kCreate, Asking(story, kAsked));
  });
  CHECK(Count(replies) == Outcomes{{"", 42}, {"NEEDS_APPROVAL", 22}});
  CHECK(Allowed(story) == kPlanned - 42 * kAsked);
  RequireAgreement(story.stack());
}

TEST_CASE("what is cancelled at the same moment can be asked for once more") {
  Story story(Stack::Shared());
  story.DoSteps(1, 1);
  const Client officer = story.stack().As(ROLE_GRANDPASS_OFFICER, SIDE_ORDER);
  std::vector<common::v1::ShipmentKey> made;
  for (int i = 0; i < 42; ++i) {
    const auto response =
        officer.Call<CreateRequestResponse>(kCreate, Asking(story, kAsked));
    REQUIRE(response.ok());
    made.push_back(response->request().shipments(0).key());
  }
  // Half of them cancel or split what is there, the others ask for more.
  std::vector<Reply> replies(kClients);
  AtOnce(kClients, [&](int i) {
    Reply& reply = replies[static_cast<size_t>(i)];
    const common::v1::ShipmentKey& key = made[static_cast<size_t>(i) / 2];
    if (i % 2 == 0) {
      reply = officer.Send(kCreate, Asking(story, kAsked / 2));
    } else if (i % 4 == 1) {
      CancelShipmentRequest cancel;
      *cancel.mutable_key() = key;
      cancel.set_order_remarks("not needed");
      reply =
          officer.Send("mtp.order.v1.ShipmentService/CancelShipment", cancel);
    } else {
      SetShipmentQuantityRequest split;
      *split.mutable_key() = key;
      split.set_quantity_grams(kAsked / 4);
      reply = officer.Send("mtp.order.v1.ShipmentService/SetShipmentQuantity",
                           split);
    }
  });
  int asked_again = 0;
  for (int i = 0; i < kClients; ++i) {
    const Reply& reply = replies[static_cast<size_t>(i)];
    INFO(reply.status.ToString());
    if (i % 2 == 0) {
      CHECK((reply.status.ok() ||
             errors::Reason(reply.status) == "NEEDS_APPROVAL"));
      asked_again += reply.status.ok();
    } else {
      CHECK(reply.status.ok());
    }
  }
  CHECK(Allowed(story) ==
        kPlanned - (42 - 16) * kAsked - asked_again * kAsked / 2);
  RequireAgreement(story.stack());
}

}  // namespace
}  // namespace mtp::tests
