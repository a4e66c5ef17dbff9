#include "cli/seed/order_run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/digest.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/outbound.pb.h"

namespace mtp::cli {
namespace {

using common::v1::SIDE_ORDER;
using common::v1::SIDE_PROCESSING;
using namespace options::v1;     // NOLINT: the roles
using namespace processing::v1;  // NOLINT: Seeduwa's part

constexpr size_t kParcelsOfSchedule = 5;

}  // namespace

absl::Status SeedOrderRun::Make() {
  struct Step {
    absl::Status (SeedOrderRun::*make)();
    // The order stops here.
    Fulfilment last;
  };
  constexpr Step kSteps[] = {{&SeedOrderRun::Ask, Fulfilment::kAsked},
                             {&SeedOrderRun::Fill, Fulfilment::kFilled},
                             {&SeedOrderRun::Dispatch, Fulfilment::kDispatched},
                             {&SeedOrderRun::Accept, Fulfilment::kAccepted},
                             {&SeedOrderRun::Schedule, Fulfilment::kScheduled}};
  RETURN_IF_ERROR(ImportPlan());
  for (const Step& step : kSteps) {
    RETURN_IF_ERROR((this->*step.make)());
    if (order_.fulfilment == step.last) break;
  }
  return absl::OkStatus();
}

absl::Status SeedOrderRun::ImportPlan() {
  order::v1::ImportPlansRequest request;
  request.set_file_name(
      absl::StrCat(order_.request.request().order_code(), ".csv"));
  request.set_file_digest(Sha256Hex(calls_.IdOf(what_ + " plan file")));
  for (const auto& row : order_.rows) *request.add_rows() = row;
  order::v1::ImportPlansResponse response;
  RETURN_IF_ERROR(
      calls_.Upload(ROLE_GRANDPASS_ADMIN, what_ + " plan", request, response));
  if (response.stored()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      what_, ": its plan has bad rows, as ", response.bad_rows(0).message()));
}

absl::Status SeedOrderRun::Ask() {
  order::v1::CreateRequestRequest request = order_.request;
  order::v1::CreateRequestResponse response;
  RETURN_IF_ERROR(
      calls_.Do(ROLE_GRANDPASS_OFFICER, what_ + " asked", request, response));
  key_ = response.request().shipments(0).key();
  return order_.fulfilment == Fulfilment::kAsked
             ? absl::OkStatus()
             : calls_.Agree(SIDE_ORDER, response.sync_token());
}

absl::Status SeedOrderRun::Fill() {
  std::vector<AllocationDraft> drafts = order_.bags;
  for (AllocationDraft& draft : drafts) *draft.mutable_shipment() = key_;
  RETURN_IF_ERROR(calls_.Allocate(what_, drafts, &shipped_));
  MarkShipmentReadyRequest request;
  *request.mutable_key() = key_;
  *request.mutable_occurred_at() = ToProto(order_.ready_at);
  MarkShipmentReadyResponse response;
  return calls_.Do(ROLE_SEEDUWA_OFFICER, what_ + " ready", request, response);
}

absl::Status SeedOrderRun::Dispatch() {
  DispatchShipmentsRequest request;
  *request.add_keys() = key_;
  request.set_shipment_vehicle(order_.vehicle);
  *request.mutable_occurred_at() = ToProto(order_.dispatched_at);
  DispatchShipmentsResponse response;
  RETURN_IF_ERROR(calls_.Do(ROLE_SEEDUWA_OPERATOR, what_ + " dispatched",
                            request, response));
  return calls_.Agree(SIDE_PROCESSING, response.sync_token());
}

absl::Status SeedOrderRun::Accept() {
  order::v1::AcceptShipmentRequest request;
  *request.mutable_key() = key_;
  request.set_shipment_remarks("all bags whole and dry");
  *request.mutable_occurred_at() = ToProto(order_.accepted_at);
  order::v1::AcceptShipmentResponse response;
  RETURN_IF_ERROR(calls_.Do(ROLE_GRANDPASS_GATEPASS, what_ + " accepted",
                            request, response));
  return calls_.Agree(SIDE_ORDER, response.sync_token());
}

absl::Status SeedOrderRun::Schedule() {
  const size_t count = std::min(shipped_.size(), kParcelsOfSchedule);
  int64_t grams = 0;
  for (size_t i = 0; i < count; ++i) grams += shipped_[i].grams();
  order::v1::CreateScheduleRequest create;
  auto& schedule = *create.mutable_schedule();
  *schedule.mutable_date() =
      ToProto(absl::ToCivilDay(order_.accepted_at, absl::UTCTimeZone()));
  schedule.set_order_code(order_.request.request().order_code());
  schedule.set_shift(common::v1::SHIFT_DAY);
  schedule.set_section("Line 3");
  schedule.set_quantity_grams(grams);
  order::v1::CreateScheduleResponse created;
  RETURN_IF_ERROR(
      calls_.Do(ROLE_GRANDPASS_OFFICER, what_ + " scheduled", create, created));
  RETURN_IF_ERROR(calls_.Agree(SIDE_ORDER, created.sync_token()));
  for (size_t i = 0; i < count; ++i) {
    CreateParcelRequest parcel;
    parcel.set_allocation_id(shipped_[i].allocation_id());
    parcel.set_schedule_code(created.schedule().schedule_code());
    parcel.set_grams(shipped_[i].grams());
    *parcel.mutable_occurred_at() =
        ToProto(order_.accepted_at + absl::Minutes(10 + i));
    CreateParcelResponse made;
    RETURN_IF_ERROR(calls_.Do(ROLE_GRANDPASS_DEV_MACHINE,
                              absl::StrCat(what_, " parcel ", i), parcel,
                              made));
  }
  order::v1::CompleteScheduleRequest complete;
  complete.set_schedule_code(created.schedule().schedule_code());
  order::v1::CompleteScheduleResponse completed;
  return calls_.Do(ROLE_GRANDPASS_DEV_MACHINE, what_ + " completed", complete,
                   completed);
}

}  // namespace mtp::cli
