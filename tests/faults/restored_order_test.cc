#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "tests/faults/plant.h"
#include "tests/faults/restore_acts.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using options::v1::ROLE_GRANDPASS_OFFICER;

TEST_CASE("Grandpass restored: codes, acceptances and schedules come back",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story accepted(stack);
  accepted.DoSteps(1, 7);
  Story left(stack);
  left.DoSteps(1, 6);
  Story planned(stack);
  planned.DoUntil("mtp.order.v1.ScheduleService/CompleteSchedule");
  Story completed(stack);
  completed.DoAll();
  const auto completion = [&] {
    return ToText(stack.Database(SIDE_ORDER)
                      .Query("SELECT completed_by, completed_at FROM schedule "
                             "WHERE schedule_code = $1",
                             {absl::StrCat(completed.schedule_code)}));
  };
  const std::string moment = plant.BackUp(SIDE_ORDER);
  accepted.DoSteps(8, 9);
  // Dispatched and accepted since: nobody corrected anything.
  left.DoSteps(7, 9);
  Story asked(stack);
  asked.DoSteps(1, 2);
  // Only the numbers of its versions are lost; agreement has them back.
  ChangeToAndFro(stack, planned.schedule_code);
  CompleteAgain(stack, completed.schedule_code);
  const std::string last_completion = completion();
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  CHECK(accepted.AtGrandpass().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);

  plant.Recover({SIDE_ORDER});
  CHECK(accepted.AtGrandpass().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  CHECK(left.AtGrandpass().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  CHECK(asked.AtGrandpass().order_code() == asked.order_code);
  CHECK(completion() == last_completion);
  CHECK(plant.Exceptions(SIDE_ORDER) == "");
  CHECK(stack.Database(SIDE_ORDER)
            .Number("SELECT count(*) FROM order_request WHERE recovered") == 1);
  // No code is given twice.
  Story next(stack);
  next.DoSteps(1, 2);
  CHECK(next.shipment.request_code() > asked.shipment.request_code());
  RequireAgreement(stack);
}

TEST_CASE("Grandpass restored to before special requests were approved",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 2);
  const common::v1::ShipmentKey approved = AskSpecially(stack, story);
  const common::v1::ShipmentKey denied = AskSpecially(stack, story);
  const std::string moment = plant.BackUp(SIDE_ORDER);
  Approve(stack, approved);
  Approve(stack, denied);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  // Somebody decides once more, and differently.
  order::v1::DenyShipmentRequest deny;
  *deny.mutable_key() = denied;
  deny.set_order_remarks("too much");
  Do<order::v1::DenyShipmentResponse>(
      stack, options::v1::ROLE_GRANDPASS_SUPERVISOR,
      "mtp.order.v1.ShipmentService/DenyShipment", deny);

  plant.Recover({SIDE_ORDER});
  CHECK(ToText(stack.Database(SIDE_ORDER)
                   .Query("SELECT approval, status, recovered FROM shipment "
                          "WHERE special ORDER BY request_code")) ==
        "ALLOWED | ORDER_REQUESTED | t\nALLOWED | ORDER_REQUESTED | t");
  CHECK(plant.Exceptions(SIDE_ORDER) ==
        absl::StrCat("CONTRADICTED_BY_RESTORE | shipment:", Text(denied)));
  // What Seeduwa says of them is understood.
  for (const common::v1::ShipmentKey& key : {approved, denied}) {
    SayReady(stack, key);
  }
  RequireAgreement(stack);
}

TEST_CASE("Grandpass restored, and worked with before anybody said so",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story planned(stack);
  planned.DoUntil("mtp.order.v1.ScheduleService/CompleteSchedule");
  Story accepted(stack);
  accepted.DoSteps(1, 7);
  const std::string moment = plant.BackUp(SIDE_ORDER);
  ChangeToAndFro(stack, planned.schedule_code);
  order::v1::UpdateScheduleRequest update;
  update.set_schedule_code(planned.schedule_code);
  update.mutable_schedule()->set_quantity_grams(1'000);
  update.mutable_update_mask()->add_paths("quantity_grams");
  const auto change = [&] {
    Do<order::v1::UpdateScheduleResponse>(
        stack, ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.ScheduleService/UpdateSchedule", update);
  };
  change();
  const auto accept = [&] {
    order::v1::AcceptShipmentRequest request;
    *request.mutable_key() = accepted.shipment;
    request.set_shipment_remarks("complete");
    Do<order::v1::AcceptShipmentResponse>(
        stack, options::v1::ROLE_GRANDPASS_GATEPASS,
        "mtp.order.v1.ShipmentService/AcceptShipment", request);
  };
  accept();
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  // More than was lost, of the one; the same again, of the other.
  for (int i = 0; i < 3; ++i) ChangeToAndFro(stack, planned.schedule_code);
  accept();
  plant.Recover({SIDE_ORDER});
  CHECK(plant.Exceptions(SIDE_ORDER) ==
        absl::StrCat(
            "CONTRADICTED_BY_RESTORE | schedule:", planned.schedule_code,
            "\nCONTRADICTED_BY_RESTORE | shipment:", Text(accepted.shipment)));
}

TEST_CASE("Grandpass restored: what arrived otherwise than it left is told",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story left(stack);
  left.DoSteps(1, 7);
  Story waiting(stack);
  waiting.DoSteps(1, 6);
  Story corrected(stack);
  corrected.DoSteps(1, 7);
  const std::string moment = plant.BackUp(SIDE_ORDER);
  waiting.DoSteps(7, 7);
  CorrectVehicle(corrected, "LX-CORRECT");
  RequireAgreement(stack);
  // Accepted as it was corrected before.
  corrected.Do(corrected.Find("mtp.order.v1.ShipmentService/AcceptShipment"));
  for (const Story* story : {&left, &waiting}) {
    order::v1::AcceptShipmentRequest accept;
    *accept.mutable_key() = story->shipment;
    accept.set_shipment_remarks("one bag is missing");
    accept.mutable_differences()->add_missing_barcodes(story->blend_bags[0]);
    accept.mutable_differences()->set_received_grams(Story::kOrderedGrams -
                                                     Story::kBlendBagGrams);
    Do<order::v1::AcceptShipmentResponse>(
        stack, options::v1::ROLE_GRANDPASS_GATEPASS,
        "mtp.order.v1.ShipmentService/AcceptShipment", accept);
  }
  RequireAgreement(stack);
  const std::string told = plant.Exceptions(SIDE_ORDER);
  REQUIRE(absl::StrContains(told, "ACCEPTED_WITH_DIFFERENCES"));
  plant.Restore(SIDE_ORDER, moment);
  REQUIRE(plant.Exceptions(SIDE_ORDER) == "");
  plant.Recover({SIDE_ORDER});
  CHECK(plant.Exceptions(SIDE_ORDER) == told);
  CHECK(stack.Database(SIDE_ORDER)
            .Number("SELECT count(*) FROM sync.exception WHERE amounts = "
                    "'{\"dispatched\": 500000, \"received\": 450000}'") == 2);
}

TEST_CASE(
    "Grandpass restored: a plan that is imported again counts what came "
    "back",
    "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  const std::string moment = plant.BackUp(SIDE_ORDER);
  Story story(stack);
  story.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  plant.Recover({SIDE_ORDER});
  story.DoSteps(1, 1);
  CHECK(stack.Database(SIDE_ORDER)
            .Number("SELECT requested_grams FROM order_plan") ==
        Story::kOrderedGrams);
  CHECK(BrokenInvariants(stack) == "");
}

}  // namespace
}  // namespace mtp::tests
