#include "tests/faults/restore_acts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_SEEDUWA_OFFICER;

void Correct(const Story& story,
             processing::v1::CorrectDispatchRequest request) {
  *request.mutable_key() = story.shipment;
  Do<processing::v1::CorrectDispatchResponse>(
      story.stack(), ROLE_SEEDUWA_OFFICER,
      "mtp.processing.v1.OutboundService/CorrectDispatch", request);
}

}  // namespace

std::string Text(const common::v1::ShipmentKey& key) {
  return absl::StrCat(key.request_code(), "/", key.shipment_code());
}

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

void SayReady(const Stack& stack, const common::v1::ShipmentKey& shipment) {
  processing::v1::MarkShipmentReadyRequest ready;
  *ready.mutable_key() = shipment;
  Do<processing::v1::MarkShipmentReadyResponse>(
      stack, ROLE_SEEDUWA_OFFICER,
      "mtp.processing.v1.OutboundService/MarkShipmentReady", ready);
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

void Release(const Stack& stack, const std::string& allocation_id) {
  processing::v1::ReleaseAllocationRequest release;
  release.set_allocation_id(allocation_id);
  Do<processing::v1::ReleaseAllocationResponse>(
      stack, options::v1::ROLE_SEEDUWA_OPERATOR,
      "mtp.processing.v1.AllocationService/ReleaseAllocation", release);
}

void TakeBackDispatch(const Story& story) {
  processing::v1::CorrectDispatchRequest request;
  request.set_take_back(true);
  request.set_reason("the lorry broke down in the yard");
  Correct(story, std::move(request));
}

void CorrectVehicle(const Story& story, const std::string& vehicle) {
  processing::v1::CorrectDispatchRequest request;
  request.set_shipment_vehicle(vehicle);
  request.set_reason("misread");
  Correct(story, std::move(request));
}

std::string DispatchAgain(const Story& story) {
  processing::v1::DispatchShipmentsRequest request;
  *request.add_keys() = story.shipment;
  request.set_shipment_vehicle("LX-" + story.vehicle);
  Do<processing::v1::DispatchShipmentsResponse>(
      story.stack(), options::v1::ROLE_SEEDUWA_OPERATOR,
      "mtp.processing.v1.OutboundService/DispatchShipments", request);
  return request.shipment_vehicle();
}

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

void RefuseShipments(const Sql& owner, const std::string& which) {
  owner.Query(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'no' USING ERRCODE = 'internal_error'; END $$");
  owner.Query(absl::StrCat(
      "CREATE TRIGGER refuse BEFORE INSERT ON shipment FOR EACH ROW WHEN (",
      which, ") EXECUTE FUNCTION refuse()"));
}

void RecoverAlone(const Plant& plant, Side side) {
  REQUIRE(plant.StartEpoch(side, 1, NewRequestId()).ok());
  REQUIRE(Eventually([&] {
    const auto status = plant.Status(side);
    return status.epoch() == 2 && !status.recovering();
  }));
}

}  // namespace mtp::tests
