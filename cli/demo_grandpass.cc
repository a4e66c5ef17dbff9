// The steps of the demonstration that people at Grandpass take.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "cli/demo.h"
#include "cli/fields.h"
#include "cli/file_import.h"
#include "cli/order_views.h"
#include "cli/processing_views.h"
#include "cli/table.h"
#include "cli/trace_tree.h"
#include "cli/weights.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/trace.pb.h"

namespace mtp::cli {
namespace {

using namespace options::v1;  // NOLINT: the roles
using common::v1::SIDE_ORDER;
using common::v1::SIDE_PROCESSING;

constexpr int64_t kAskedGrams = 500'000;
constexpr int64_t kScheduledGrams = 100'000;
constexpr char kPlantTimeZone[] = "Asia/Colombo";

common::v1::Date Today() {
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::LoadTimeZone(kPlantTimeZone, &zone);
  return ToProto(absl::ToCivilDay(absl::Now(), zone));
}

}  // namespace

absl::Status Demo::ImportPlan() {
  if (!session_.local_stack().has_value()) {
    return UsageError(
        "the demonstration needs the local stack: run it in the checkout or "
        "set MTP_HOME");
  }
  const std::string file = session_.local_stack()->SamplePlan();
  story_.Act(ROLE_GRANDPASS_ADMIN,
             absl::StrCat("imports the planning department's export, ", file));
  order::v1::ImportPlansRequest request;
  order::v1::ImportPlansResponse imported;
  RETURN_IF_ERROR(ImportFile(session_, ROLE_GRANDPASS_ADMIN, file, PlanRows(),
                             request, imported));
  story_.Reply(ImportText(imported));
  if (!imported.stored()) {
    return absl::FailedPreconditionError("the sample plan was not stored");
  }
  return ChoosePlan();
}

absl::Status Demo::ChoosePlan() {
  order::v1::ListPlansRequest request;
  request.set_order_by(order::v1::LIST_PLANS_ORDER_ALLOWED_DESCENDING);
  request.set_page_size(3);
  order::v1::ListPlansResponse response;
  RETURN_IF_ERROR(As(ROLE_GRANDPASS_OFFICER, request, response));
  if (response.plans().empty()) {
    return absl::FailedPreconditionError("there is no plan to ask for");
  }
  story_.Note("The plans of which most is left:");
  story_.Reply(PlansText(response.plans()));
  plan_ = response.plans(0);
  return absl::OkStatus();
}

absl::Status Demo::RequestBlend() {
  const bool special = plan_.allowed_grams() < kAskedGrams;
  story_.Act(ROLE_GRANDPASS_OFFICER,
             absl::StrCat("asks for ", Kilograms(kAskedGrams), " under order ",
                          plan_.order_code(), ", ", plan_.product_name(),
                          special ? ", beyond the plan" : ""));
  order::v1::CreateRequestRequest request;
  request.mutable_request()->set_order_code(plan_.order_code());
  request.mutable_request()->set_requirement_grams(kAskedGrams);
  request.mutable_request()->set_comments("demonstration " + run_);
  request.mutable_request()->set_approval_requested(special);
  order::v1::CreateRequestResponse response;
  RETURN_IF_ERROR(As(ROLE_GRANDPASS_OFFICER, request, response));
  Many<order::v1::OrderRequest> one;
  *one.Add() = response.request();
  story_.Reply(RequestsText(one));
  story_.Note("The plan still allows " + Kilograms(response.allowed_grams()) +
              ".");
  shipment_ = response.request().shipments(0).key();
  if (response.request().special()) {
    RETURN_IF_ERROR(ApproveSpecial());
  } else {
    RETURN_IF_ERROR(Agree(SIDE_ORDER, response.sync_token()));
  }
  return ShipmentAtSeeduwa(common::v1::SHIPMENT_STATUS_ORDER_REQUESTED);
}

absl::Status Demo::ApproveSpecial() {
  story_.Act(ROLE_GRANDPASS_SUPERVISOR, "allows the special request");
  order::v1::ApproveShipmentRequest request;
  *request.mutable_key() = shipment_;
  request.set_order_remarks("a customer waits");
  order::v1::ApproveShipmentResponse response;
  RETURN_IF_ERROR(As(ROLE_GRANDPASS_SUPERVISOR, request, response));
  Many<order::v1::Shipment> one;
  *one.Add() = response.shipment();
  story_.Reply(ShipmentsText(one));
  return Agree(SIDE_ORDER, response.sync_token());
}

absl::Status Demo::AcceptAndUse() {
  story_.Act(ROLE_GRANDPASS_GATEPASS, "accepts the shipment at the gate");
  order::v1::AcceptShipmentRequest request;
  *request.mutable_key() = shipment_;
  request.set_shipment_remarks("all bags whole and dry");
  order::v1::AcceptShipmentResponse response;
  RETURN_IF_ERROR(As(ROLE_GRANDPASS_GATEPASS, request, response));
  Many<order::v1::Shipment> one;
  *one.Add() = response.shipment();
  story_.Reply(ShipmentsText(one));
  RETURN_IF_ERROR(Agree(SIDE_ORDER, response.sync_token()));
  RETURN_IF_ERROR(
      ShipmentAtSeeduwa(common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED));

  RETURN_IF_ERROR(CreateSchedule());
  RETURN_IF_ERROR(MakeParcels());
  return CompleteSchedule();
}

absl::Status Demo::CreateSchedule() {
  story_.Act(ROLE_GRANDPASS_OFFICER,
             absl::StrCat("schedules ", Kilograms(kScheduledGrams),
                          " of the order for today"));
  order::v1::CreateScheduleRequest request;
  auto& schedule = *request.mutable_schedule();
  *schedule.mutable_date() = Today();
  schedule.set_order_code(plan_.order_code());
  schedule.set_shift(common::v1::SHIFT_DAY);
  schedule.set_section("Line 3");
  schedule.set_quantity_grams(kScheduledGrams);
  order::v1::CreateScheduleResponse response;
  RETURN_IF_ERROR(As(ROLE_GRANDPASS_OFFICER, request, response));
  Many<order::v1::Schedule> one;
  *one.Add() = response.schedule();
  story_.Reply(SchedulesText(one));
  schedule_code_ = response.schedule().schedule_code();
  return Agree(SIDE_ORDER, response.sync_token());
}

absl::Status Demo::MakeParcels() {
  story_.Act(ROLE_GRANDPASS_DEV_MACHINE,
             absl::StrCat("fills boxes: parcels of the shipment's bags for "
                          "schedule ",
                          schedule_code_));
  std::string sync_token;
  int64_t left = kScheduledGrams;
  for (const auto& allocation : shipped_) {
    if (left == 0) break;
    processing::v1::CreateParcelRequest request;
    request.set_allocation_id(allocation.allocation_id());
    request.set_schedule_code(schedule_code_);
    request.set_grams(std::min(left, allocation.grams()));
    processing::v1::CreateParcelResponse response;
    RETURN_IF_ERROR(As(ROLE_GRANDPASS_DEV_MACHINE, request, response));
    left -= response.parcel().grams();
    sync_token = response.sync_token();
    parcels_.push_back(response.parcel());
  }
  Many<processing::v1::Parcel> made(parcels_.begin(), parcels_.end());
  story_.Reply(ParcelsText(made));
  return Agree(SIDE_PROCESSING, sync_token);
}

absl::Status Demo::CompleteSchedule() {
  story_.Act(ROLE_GRANDPASS_DEV_MACHINE, "completes the schedule");
  order::v1::CompleteScheduleRequest request;
  request.set_schedule_code(schedule_code_);
  order::v1::CompleteScheduleResponse response;
  RETURN_IF_ERROR(As(ROLE_GRANDPASS_DEV_MACHINE, request, response));
  RETURN_IF_ERROR(Agree(SIDE_ORDER, response.sync_token()));

  order::v1::GetScheduleRequest get;
  get.set_schedule_code(schedule_code_);
  order::v1::GetScheduleResponse got;
  RETURN_IF_ERROR(Until(
      get, got,
      [&] { return got.schedule().parcel_grams() == kScheduledGrams; },
      "the total of the parcels at Grandpass"));
  Many<order::v1::Schedule> one;
  *one.Add() = got.schedule();
  story_.Shows(SIDE_ORDER, SchedulesText(one));

  order::v1::ListShipmentEventsRequest events;
  *events.mutable_key() = shipment_;
  order::v1::ListShipmentEventsResponse happened;
  RETURN_IF_ERROR(session_.Call(events, happened));
  story_.Blank();
  story_.Note("All that happened to shipment " + KeyText(shipment_) + ":");
  story_.Reply(EventsText(happened.events()));
  return absl::OkStatus();
}

absl::Status Demo::TraceBack() {
  const std::string& parcel = parcels_.front().parcel_id();
  story_.Act(ROLE_GRANDPASS_OFFICER,
             absl::StrCat("asks where parcel ", parcel, " came from"));
  processing::v1::TraceRequest request;
  request.mutable_start()->set_parcel_id(parcel);
  request.set_direction(processing::v1::TRACE_DIRECTION_BACKWARD);
  processing::v1::TraceResponse whole;
  processing::v1::TraceResponse message;
  RETURN_IF_ERROR(session_.ReadStreamAs(ROLE_GRANDPASS_OFFICER, request,
                                        message,
                                        [&] { whole.MergeFrom(message); }));
  story_.Reply(TraceTree(whole, request.direction()));
  story_.Blank();
  story_.Note("The tea in it is from:");
  story_.Reply(GardensText(whole));
  return RecallTealine();
}

absl::Status Demo::RecallTealine() {
  processing::v1::RecallRequest request;
  request.set_item_id(first_tealine_.item_id());
  processing::v1::RecallResponse response;
  const absl::Status status = As(ROLE_SEEDUWA_ADMIN, request, response);
  // Recalls come with a later version of the service.
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(status);
  story_.Act(ROLE_SEEDUWA_ADMIN,
             absl::StrCat("asks what a recall of tealine ",
                          first_tealine_.item_code(), " would concern"));
  Table table({"SHIPMENT", "STATUS", "VEHICLE", "BAGS", "OF THIS TEA"});
  for (const auto& shipment : response.shipments()) {
    table.Row({KeyText(shipment.shipment().key()),
               EnumText(shipment.shipment().status()),
               shipment.shipment().shipment_vehicle(), shipment.bag_count(),
               Cell::Grams(shipment.contained_grams())});
  }
  story_.Reply(table.Text());
  story_.Note(absl::StrCat(
      "Of it, ", Kilograms(response.on_site_grams()), " are still here, ",
      Kilograms(response.waiting_grams()), " wait in shipments, ",
      Kilograms(response.dispatched_grams()), " have left."));
  return absl::OkStatus();
}

}  // namespace mtp::cli
