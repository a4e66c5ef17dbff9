#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "mtp/order/v1/shipments.pb.h"
#include "tests/faults/plant.h"
#include "tests/faults/restore_acts.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using options::v1::ROLE_GRANDPASS_OFFICER;

TEST_CASE("Seeduwa restored: what has left has left", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story left(stack);
  left.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  Story arrived(stack);
  arrived.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  Story later(stack);
  later.DoSteps(1, 2);
  const std::string moment = plant.BackUp(SIDE_PROCESSING);

  // Lost by the restore: dispatches, one of them accepted; a request that was
  // told; goods for it.
  for (Story* story : {&left, &arrived})
    story->Do(
        story->Find("mtp.processing.v1.OutboundService/DispatchShipments"));
  arrived.Do(arrived.Find("mtp.order.v1.ShipmentService/AcceptShipment"));
  Story told(stack);
  told.DoSteps(1, 2);
  later.DoSteps(3, 6);
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);
  CHECK(left.AtSeeduwa().status() !=
        common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);

  plant.Recover({SIDE_PROCESSING});
  CHECK(left.AtSeeduwa().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(left.AtGrandpass().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(left.AtGrandpass().progress().dispatch().shipment_vehicle() ==
        left.vehicle);
  CHECK(arrived.AtSeeduwa().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  // The goods that stood ready for the other one must be found again.
  CHECK(plant.Exceptions(SIDE_PROCESSING) ==
        absl::StrCat("LOST_IN_RESTORE | shipment:", Text(later.shipment)));
  CHECK(later.AtGrandpass().progress().allocated_grams() == 0);
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM audit.entry WHERE action = "
                    "'recovered' AND correlation_id = 'recovery-2'") == 2);
  // Life goes on: what was waiting for goods gets some.
  told.DoSteps(3, 9);
  RequireAgreement(stack);
  CHECK(plant.StartEpoch(SIDE_PROCESSING, 1, NewRequestId()).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("Seeduwa restored to before the goods were allocated", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoUntil("mtp.processing.v1.AllocationService/AllocateToShipment");
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  story.DoSteps(6, 7);
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);
  plant.Recover({SIDE_PROCESSING});
  CHECK(story.AtSeeduwa().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(plant.Exceptions(SIDE_PROCESSING) ==
        absl::StrCat("LOST_IN_RESTORE | shipment:", Text(story.shipment)));
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT recovered_grams FROM shipment WHERE dispatched") ==
        Story::kOrderedGrams);
}

TEST_CASE("Seeduwa restored: what had left, and was cancelled since",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  TakeBackDispatch(story);
  for (const std::string& allocation : story.shipment_allocations) {
    Release(stack, allocation);
  }
  RequireAgreement(stack);
  order::v1::CancelShipmentRequest cancel;
  *cancel.mutable_key() = story.shipment;
  cancel.set_order_remarks("not wanted any more");
  Do<order::v1::CancelShipmentResponse>(
      stack, ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.ShipmentService/CancelShipment", cancel);
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);

  plant.Recover({SIDE_PROCESSING});
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM shipment WHERE cancelled AND NOT "
                    "dispatched AND allocated_grams = 0") == 1);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    CHECK(plant.Exceptions(side) == "");
}

TEST_CASE("Seeduwa restored: the later of two dispatches is the one that left",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story again(stack);
  again.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  Story corrected(stack);
  corrected.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  Story waiting(stack);
  waiting.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  TakeBackDispatch(waiting);
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  TakeBackDispatch(again);
  const std::string other = DispatchAgain(again);
  CorrectVehicle(corrected, "LX-CORRECT");
  // What was taken back before went again, and arrived.
  DispatchAgain(waiting);
  RequireAgreement(stack);
  waiting.Do(waiting.Find("mtp.order.v1.ShipmentService/AcceptShipment"));
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);

  plant.Recover({SIDE_PROCESSING});
  const auto vehicle = [&](const Story& story) {
    const std::string at_seeduwa =
        stack.Database(SIDE_PROCESSING)
            .Text("SELECT vehicle FROM shipment WHERE request_code = $1",
                  {absl::StrCat(story.shipment.request_code())});
    CHECK(story.AtGrandpass().progress().dispatch().shipment_vehicle() ==
          at_seeduwa);
    return at_seeduwa;
  };
  CHECK(vehicle(again) == other);
  CHECK(vehicle(corrected) == "LX-CORRECT");
  CHECK(waiting.AtSeeduwa().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  // Nothing happened that people do not know of.
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    CHECK(plant.Exceptions(side) == "");
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT sum(recovered_grams) FROM shipment") == 0);
}

TEST_CASE("Seeduwa restored, and worked with before anybody said so",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story twice(stack);
  twice.DoSteps(1, 6);
  Story corrected(stack);
  corrected.DoSteps(1, 7);
  Story allocated(stack);
  allocated.DoSteps(1, 5);
  Story back(stack);
  back.DoSteps(1, 7);
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  twice.DoSteps(7, 7);
  CorrectVehicle(corrected, "LX-LOST");
  TakeBackDispatch(back);
  allocated.DoSteps(6, 6);
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);
  // By somebody who sees what was restored: more than was lost.
  const std::string other = DispatchAgain(twice);
  CorrectVehicle(corrected, "LX-SINCE");
  for (int i = 0; i < 2; ++i) CorrectVehicle(back, absl::StrCat("LX-BACK-", i));
  for (int i = 0; i < 8; ++i) {
    SayNotReady(stack, allocated.shipment);
    SayReady(stack, allocated.shipment);
  }
  plant.Recover({SIDE_PROCESSING});
  const auto contradicted = [](const Story& story) {
    return absl::StrCat("CONTRADICTED_BY_RESTORE | shipment:",
                        Text(story.shipment));
  };
  CHECK(
      plant.Exceptions(SIDE_PROCESSING) ==
      absl::StrCat(contradicted(twice), "\n", contradicted(corrected),
                   "\nLOST_IN_RESTORE | shipment:", Text(allocated.shipment)));
  // What is said of a dispatch since, Grandpass hears of as of a correction.
  CHECK(twice.AtGrandpass().progress().dispatch().shipment_vehicle() == other);
  CHECK(twice.AtGrandpass().progress().dispatch().correction_reason() != "");
  CHECK(corrected.AtGrandpass().progress().dispatch().shipment_vehicle() ==
        "LX-SINCE");
  // What was taken back stands in the store.
  CHECK(back.AtSeeduwa().status() == common::v1::SHIPMENT_STATUS_ORDER_READY);
  CHECK(!back.AtGrandpass().progress().has_dispatch());
}

TEST_CASE("Seeduwa restored: a dispatch of what cannot be taken is told",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  Story story(stack);
  story.DoSteps(1, 7);
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);
  const Sql owner = stack.Owner(SIDE_PROCESSING);
  RefuseShipments(owner, "true");
  RecoverAlone(plant, SIDE_PROCESSING);
  owner.Query("DROP TRIGGER refuse ON shipment");
  CHECK(plant.Exceptions(SIDE_PROCESSING) ==
        absl::StrCat("LOST_IN_RESTORE | shipment:", Text(story.shipment)));
}

TEST_CASE("what was not told yet is not taken for lost", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  RequireAgreement(stack);
  plant.processing.BackUp();
  stack.Stop(SIDE_ORDER);
  TakeBackDispatch(story);
  Release(stack, story.shipment_allocations.front());
  // Nothing is lost. PostgreSQL wants to see something that came later.
  const std::string moment = plant.Now(SIDE_PROCESSING);
  plant.processing.Superuser().Query(
      "SELECT pg_logical_emit_message(true, 'test', 'later')");
  plant.Restore(SIDE_PROCESSING, moment);
  stack.Start(SIDE_ORDER);

  plant.Recover({SIDE_PROCESSING});
  CHECK(!story.AtGrandpass().progress().has_dispatch());
  CHECK(plant.Exceptions(SIDE_PROCESSING) == "");
}

}  // namespace
}  // namespace mtp::tests
