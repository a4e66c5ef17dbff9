#include <catch2/catch.hpp>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "tests/faults/plant.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_SEEDUWA_OFFICER;

std::string Text(const common::v1::ShipmentKey& key) {
  return absl::StrCat(key.request_code(), "/", key.shipment_code());
}

// Does one thing with a request_id of its own, as the role; it must be done.
template <typename Response, typename Request>
Response Do(const Stack& stack, Role role, std::string_view method,
            Request request) {
  request.set_request_id(NewRequestId());
  const auto response = stack.Call<Response>(role, method, request);
  INFO(method << ": " << response.status().ToString());
  REQUIRE(response.ok());
  return *response;
}

// Changes a schedule's section, and back.
void ChangeToAndFro(const Stack& stack, int64_t schedule_code) {
  for (const char* section : {"Line 5", "Line 4"}) {
    order::v1::UpdateScheduleRequest request;
    request.set_schedule_code(schedule_code);
    request.mutable_schedule()->set_section(section);
    request.mutable_update_mask()->add_paths("section");
    Do<order::v1::UpdateScheduleResponse>(
        stack, ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.ScheduleService/UpdateSchedule", request);
  }
}

// Opens a completed schedule, and completes it again.
void CompleteAgain(const Stack& stack, int64_t schedule_code) {
  order::v1::ReopenScheduleRequest reopen;
  reopen.set_schedule_code(schedule_code);
  reopen.set_reason("one more pallet");
  Do<order::v1::ReopenScheduleResponse>(
      stack, ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.ScheduleService/ReopenSchedule", reopen);
  order::v1::CompleteScheduleRequest complete;
  complete.set_schedule_code(schedule_code);
  Do<order::v1::CompleteScheduleResponse>(
      stack, ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.ScheduleService/CompleteSchedule", complete);
}

void SayNotReady(const Stack& stack, const common::v1::ShipmentKey& shipment) {
  processing::v1::MarkShipmentNotReadyRequest not_ready;
  *not_ready.mutable_key() = shipment;
  not_ready.set_order_remarks("not here");
  REQUIRE(Eventually([&] {
    return stack
        .Call<processing::v1::MarkShipmentNotReadyResponse>(
            ROLE_SEEDUWA_OFFICER,
            "mtp.processing.v1.OutboundService/MarkShipmentNotReady", not_ready)
        .ok();
  }));
}

// A shipment that left did not.
void TakeBackDispatch(const Story& story) {
  processing::v1::CorrectDispatchRequest request;
  *request.mutable_key() = story.shipment;
  request.set_take_back(true);
  request.set_reason("the lorry broke down in the yard");
  Do<processing::v1::CorrectDispatchResponse>(
      story.stack(), ROLE_SEEDUWA_OFFICER,
      "mtp.processing.v1.OutboundService/CorrectDispatch", request);
}

TEST_CASE("Seeduwa restored: what has left has left", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story left(stack);
  left.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  Story arrived(stack);
  arrived.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  Story later(stack);
  later.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);

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
  RequireAgreement(stack);
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
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
  RequireAgreement(stack);
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
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

TEST_CASE("Seeduwa restored: what had left, and was cancelled since",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  RequireAgreement(stack);
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
  TakeBackDispatch(story);
  for (const std::string& allocation : story.shipment_allocations) {
    processing::v1::ReleaseAllocationRequest release;
    release.set_allocation_id(allocation);
    Do<processing::v1::ReleaseAllocationResponse>(
        stack, options::v1::ROLE_SEEDUWA_OPERATOR,
        "mtp.processing.v1.AllocationService/ReleaseAllocation", release);
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

void CorrectVehicle(const Story& story, const std::string& vehicle) {
  processing::v1::CorrectDispatchRequest request;
  *request.mutable_key() = story.shipment;
  request.set_shipment_vehicle(vehicle);
  request.set_reason("misread");
  Do<processing::v1::CorrectDispatchResponse>(
      story.stack(), ROLE_SEEDUWA_OFFICER,
      "mtp.processing.v1.OutboundService/CorrectDispatch", request);
}

// Another truck takes it, whose name is returned.
std::string DispatchAgain(const Story& story) {
  processing::v1::DispatchShipmentsRequest request;
  *request.add_keys() = story.shipment;
  request.set_shipment_vehicle("LX-" + story.vehicle);
  Do<processing::v1::DispatchShipmentsResponse>(
      story.stack(), options::v1::ROLE_SEEDUWA_OPERATOR,
      "mtp.processing.v1.OutboundService/DispatchShipments", request);
  return request.shipment_vehicle();
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
  RequireAgreement(stack);
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
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
  RequireAgreement(stack);
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
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
    processing::v1::MarkShipmentReadyRequest ready;
    *ready.mutable_key() = allocated.shipment;
    Do<processing::v1::MarkShipmentReadyResponse>(
        stack, ROLE_SEEDUWA_OFFICER,
        "mtp.processing.v1.OutboundService/MarkShipmentReady", ready);
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
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
  Story story(stack);
  story.DoSteps(1, 7);
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);
  const Sql owner = stack.Owner(SIDE_PROCESSING);
  owner.Query(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'no' USING ERRCODE = 'internal_error'; END $$");
  owner.Query(
      "CREATE TRIGGER refuse BEFORE INSERT ON shipment FOR EACH ROW EXECUTE "
      "FUNCTION refuse()");
  REQUIRE(plant.StartEpoch(SIDE_PROCESSING, 1, NewRequestId()).ok());
  REQUIRE(Eventually([&] {
    const auto status = plant.Status(SIDE_PROCESSING);
    return status.epoch() == 2 && !status.recovering();
  }));
  owner.Query("DROP TRIGGER refuse ON shipment");
  CHECK(plant.Exceptions(SIDE_PROCESSING) ==
        absl::StrCat("LOST_IN_RESTORE | shipment:", Text(story.shipment)));
}

// A special request for the story's order, in the supervisor's hands.
common::v1::ShipmentKey AskSpecially(const Stack& stack, const Story& story) {
  order::v1::CreateRequestRequest request;
  request.mutable_request()->set_order_code(story.order_code);
  request.mutable_request()->set_requirement_grams(1'000'000'000);
  request.mutable_request()->set_approval_requested(true);
  const auto response = Do<order::v1::CreateRequestResponse>(
      stack, ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.RequestService/CreateRequest", request);
  REQUIRE(response.request().shipments_size() == 1);
  return response.request().shipments(0).key();
}

void Approve(const Stack& stack, const common::v1::ShipmentKey& key) {
  order::v1::ApproveShipmentRequest request;
  *request.mutable_key() = key;
  Do<order::v1::ApproveShipmentResponse>(
      stack, options::v1::ROLE_GRANDPASS_SUPERVISOR,
      "mtp.order.v1.ShipmentService/ApproveShipment", request);
}

TEST_CASE("Grandpass restored to before special requests were approved",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 2);
  const common::v1::ShipmentKey approved = AskSpecially(stack, story);
  const common::v1::ShipmentKey denied = AskSpecially(stack, story);
  RequireAgreement(stack);
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
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
    processing::v1::MarkShipmentReadyRequest ready;
    *ready.mutable_key() = key;
    Do<processing::v1::MarkShipmentReadyResponse>(
        stack, ROLE_SEEDUWA_OFFICER,
        "mtp.processing.v1.OutboundService/MarkShipmentReady", ready);
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
  RequireAgreement(stack);
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
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
  RequireAgreement(stack);
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
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
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
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

TEST_CASE("what was not told yet is not taken for lost", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  RequireAgreement(stack);
  plant.processing.BackUp();
  stack.Stop(SIDE_ORDER);
  TakeBackDispatch(story);
  processing::v1::ReleaseAllocationRequest release;
  release.set_allocation_id(story.shipment_allocations.front());
  Do<processing::v1::ReleaseAllocationResponse>(
      stack, options::v1::ROLE_SEEDUWA_OPERATOR,
      "mtp.processing.v1.AllocationService/ReleaseAllocation", release);
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

// Has a side compare everything; what kept it from doing so.
std::string CompareAt(const Stack& stack, Side side) {
  ops::v1::ReconcileRequest request;
  absl::StatusOr<ops::v1::ReconcileResponse> response;
  REQUIRE(Eventually([&] {
    request.set_request_id(NewRequestId());
    response = stack.As(options::v1::ROLE_MASTER_ADMIN, side)
                   .Call<ops::v1::ReconcileResponse>(
                       "mtp.ops.v1.OperationsService/Reconcile", request);
    return response.ok() && response->finished();
  }));
  return response->run().error();
}

TEST_CASE("a comparison does not bury what a restore lost", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
  // What is lost has many transactions, so that those since are fewer.
  for (int i = 0; i < 200; ++i)
    stack.Owner(SIDE_ORDER).Query("SELECT pg_current_xact_id()");
  order::v1::SetShipmentQuantityRequest cut;
  *cut.mutable_key() = story.shipment;
  cut.set_quantity_grams(Story::kOrderedGrams / 2);
  Do<order::v1::SetShipmentQuantityResponse>(
      stack, ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.ShipmentService/SetShipmentQuantity", cut);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);

  CHECK(absl::StrContains(CompareAt(stack, SIDE_ORDER), "VERSIONS_FELL_BACK"));
  // The other side keeps it, however many transactions there are since.
  CHECK(plant.Status(SIDE_PROCESSING).refusing_peer() ==
        sync::v1::REFUSAL_VERSIONS_FELL_BACK);
  for (int i = 0; i < 300; ++i)
    stack.Owner(SIDE_ORDER).Query("SELECT pg_current_xact_id()");
  CHECK(absl::StrContains(CompareAt(stack, SIDE_ORDER), "VERSIONS_FELL_BACK"));
  plant.Recover({SIDE_ORDER});
  CHECK(story.AtGrandpass().quantity_grams() == Story::kOrderedGrams / 2);
}

TEST_CASE("what cannot be taken back holds up nothing else", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
  Story stuck(stack);
  stuck.DoSteps(1, 2);
  Story taken(stack);
  taken.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  const Sql owner = stack.Owner(SIDE_ORDER);
  owner.Query(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'no' USING ERRCODE = 'internal_error'; END $$");
  owner.Query(absl::StrCat(
      "CREATE TRIGGER refuse BEFORE INSERT ON shipment FOR EACH ROW WHEN "
      "(NEW.request_code = ",
      stuck.shipment.request_code(), ") EXECUTE FUNCTION refuse()"));
  REQUIRE(plant.StartEpoch(SIDE_ORDER, 1, NewRequestId()).ok());
  REQUIRE(Eventually([&] {
    const auto status = plant.Status(SIDE_ORDER);
    return status.epoch() == 2 && !status.recovering();
  }));
  CHECK(plant.Exceptions(SIDE_ORDER) ==
        absl::StrCat("LOST_IN_RESTORE | shipment:", Text(stuck.shipment)));
  CHECK(taken.AtGrandpass().order_code() == taken.order_code);
  CHECK(stuck.AtGrandpass().order_code().empty());
  // The link works, both ways; the code that Seeduwa knows is given to nobody.
  owner.Query("DROP TRIGGER refuse ON shipment");
  Story next(stack);
  next.DoSteps(1, 9);
  CHECK(next.shipment.request_code() > taken.shipment.request_code());
}

TEST_CASE("a side that takes back what it lost hears no news meanwhile",
          "[restore]") {
  // The one state that is taken back takes long enough to be told something.
  Plant plant({"MTP_PAUSE_AT=recover.state_taken:3000"});
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  Story arrived(stack);
  arrived.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  RequireAgreement(stack);
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
  story.Do(story.Find("mtp.processing.v1.OutboundService/DispatchShipments"));
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);
  REQUIRE(plant.StartEpoch(SIDE_PROCESSING, 1, NewRequestId()).ok());
  arrived.Do(arrived.Find("mtp.order.v1.ShipmentService/AcceptShipment"));
  bool confirmed_meanwhile = false;
  REQUIRE(Eventually([&] {
    const bool confirmed =
        stack.Database(SIDE_ORDER).Query("SELECT FROM sync.outbox").empty();
    const bool recovering = plant.Status(SIDE_PROCESSING).recovering();
    confirmed_meanwhile = confirmed_meanwhile || (confirmed && recovering);
    return !recovering;
  }));
  CHECK(!confirmed_meanwhile);
  RequireAgreement(stack);
  CHECK(!stack.Database(SIDE_PROCESSING)
             .Query("SELECT FROM shipment WHERE accepted")
             .empty());
}

TEST_CASE("an epoch that a restore lost is not begun again", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
  story.DoSteps(3, 6);
  RequireAgreement(stack);
  for (const int64_t epoch : {2, 3}) {
    plant.Restore(SIDE_PROCESSING, moment);
    // It learns from its peer that it was restored, to before an epoch even.
    CompareAt(stack, SIDE_PROCESSING);
    CHECK(plant.Status(SIDE_PROCESSING).refused_by_peer() ==
          (epoch == 2 ? sync::v1::REFUSAL_VERSIONS_FELL_BACK
                      : sync::v1::REFUSAL_EPOCH_SUPERSEDED));
    plant.Recover({SIDE_PROCESSING});
    CHECK(plant.Status(SIDE_PROCESSING).epoch() == epoch);
    // What it tells is taken.
    Story(stack).DoAll();
    RequireAgreement(stack);
  }
}

// Seeduwa, restored to before it did and told this, and nobody says so.
void LoseInSilence(Plant& plant, const std::function<void()>& lost) {
  plant.processing.BackUp();
  const std::string moment = plant.Now(SIDE_PROCESSING);
  lost();
  RequireAgreement(plant.stack);
  plant.Restore(SIDE_PROCESSING, moment);
}

bool NoticesRestore(const Plant& plant) {
  return Eventually([&] {
    return plant.Status(SIDE_ORDER).refusing_peer() ==
           sync::v1::REFUSAL_VERSIONS_FELL_BACK;
  });
}

TEST_CASE("a restore that nobody announced is noticed before it does harm",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 6);
  RequireAgreement(stack);
  LoseInSilence(plant, [&] { story.DoSteps(7, 8); });
  // Somebody works on with what the restored database says.
  SayNotReady(stack, story.shipment);
  const bool noticed = NoticesRestore(plant);
  INFO(stack.Log(SIDE_PROCESSING));
  REQUIRE(noticed);
  CHECK(Eventually([&] {
    return plant.Status(SIDE_PROCESSING).refused_by_peer() ==
           sync::v1::REFUSAL_VERSIONS_FELL_BACK;
  }));
  CHECK(story.AtGrandpass().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  CHECK(story.AtGrandpass().progress().dispatch().shipment_vehicle() ==
        story.vehicle);

  plant.Recover({SIDE_PROCESSING});
  CHECK(plant.Status(SIDE_ORDER).refusing_peer() ==
        sync::v1::REFUSAL_UNSPECIFIED);
  CHECK(story.AtSeeduwa().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
}

TEST_CASE("a restore shows in the numbers of transactions alone", "[restore]") {
  Plant plant;
  Story lost(plant.stack);
  lost.DoSteps(1, 2);
  Story other(plant.stack);
  other.DoSteps(1, 2);
  RequireAgreement(plant.stack);
  LoseInSilence(plant, [&] { lost.DoSteps(3, 8); });
  // Of this one nothing was ever told, so nothing of it meets what was lost.
  SayNotReady(plant.stack, other.shipment);
  CHECK(NoticesRestore(plant));
}

TEST_CASE("a restore shows in another past alone", "[restore]") {
  Plant plant;
  Story lost(plant.stack);
  lost.DoSteps(1, 2);
  RequireAgreement(plant.stack);
  LoseInSilence(plant, [&] { SayNotReady(plant.stack, lost.shipment); });
  // So much was done before the first word that no number falls.
  plant.stack.Owner(SIDE_PROCESSING)
      .Query(
          "DO $$ BEGIN FOR i IN 1..2000 LOOP PERFORM pg_current_xact_id(); "
          "COMMIT; END LOOP; END $$");
  SayNotReady(plant.stack, lost.shipment);
  CHECK(NoticesRestore(plant));
}

TEST_CASE("a code given twice after an unannounced restore is told",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story before(stack);
  before.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.order.BackUp();
  const std::string moment = plant.Now(SIDE_ORDER);
  Story lost(stack);
  lost.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  Story again(stack);
  again.DoSteps(1, 2);
  REQUIRE(again.shipment.request_code() == lost.shipment.request_code());
  plant.Recover({SIDE_ORDER});
  CHECK(plant.Exceptions(SIDE_ORDER) ==
        absl::StrCat("CONTRADICTED_BY_RESTORE | shipment:",
                     Text(again.shipment)));
}

}  // namespace
}  // namespace mtp::tests
