#include "tests/support/story.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/uuid.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/recipes.pb.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

namespace v1 = processing::v1;
using order::v1::AcceptShipmentRequest;
using order::v1::AcceptShipmentResponse;
using order::v1::CompleteScheduleRequest;
using order::v1::CompleteScheduleResponse;
using order::v1::CreateRequestRequest;
using order::v1::CreateRequestResponse;
using order::v1::CreateScheduleRequest;
using order::v1::CreateScheduleResponse;
using order::v1::ImportPlansRequest;
using order::v1::ImportPlansResponse;
using namespace options::v1;  // the roles

constexpr int64_t kTareGrams = 500;

// Distinguishes the stories of all runs.
std::string NewSuffix() {
  const std::string id = Uuid::V7(absl::Now()).ToString();
  return id.substr(id.size() - 10);
}

// Nothing was said about the call: it may have been done or not.
bool WorthRepeating(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kAborted;
}

void AddReceipt(v1::BatchReceiveBagsRequest& request, int64_t net_grams,
                const std::string& location, const std::string& item_id,
                const std::string& batch_id) {
  v1::BagReceipt& receipt = *request.add_receipts();
  if (!item_id.empty()) receipt.set_item_id(item_id);
  if (!batch_id.empty()) receipt.set_batch_id(batch_id);
  receipt.set_location(location);
  receipt.set_gross_grams(net_grams + kTareGrams);
  receipt.set_tare_grams(kTareGrams);
}

}  // namespace

void SetRequestId(google::protobuf::Message& request,
                  const std::string& request_id) {
  request.GetReflection()->SetString(
      &request, request.GetDescriptor()->FindFieldByName("request_id"),
      request_id);
}

std::string NewRequestId() { return Uuid::V7(absl::Now()).ToString(); }

std::string FileDigest(const std::string& code) {
  return std::string(64 - (code.size() - 2), '0') + code.substr(2);
}

Story::Story(Stack& stack)
    : order_code("SO-" + NewSuffix()),
      blend_code("BL" + NewSuffix()),
      garden("Kenilworth " + NewSuffix()),
      location("Stores " + NewSuffix()),
      vehicle("LX-" + NewSuffix()),
      stack_(stack) {
  AddPlan();
  AddRequest();
  AddTea();
  AddBlend();
  AddApproval();
  AddAllocations();
  AddDispatch();
  AddParcels();
}

void Story::AddPlan() {
  Add<ImportPlansRequest, ImportPlansResponse>(
      1, "mtp.order.v1.PlanService/ImportPlans", ROLE_GRANDPASS_ADMIN,
      [this](ImportPlansRequest& request) {
        request.set_file_name(order_code + ".csv");
        request.set_file_digest(FileDigest(blend_code));
        for (const int part : {1, 2}) {
          order::v1::PlanRow& row = *request.add_rows();
          row.set_line_number(1 + part);
          row.set_lot_code(absl::StrCat("L", part));
          row.set_order_code(order_code);
          row.set_item_code(absl::StrFormat("%s-%02d", blend_code, part));
          row.set_production_date("2026-11-05");
          row.set_stock("38,456");
          row.set_requirement("4,240.00");
          row.set_location("GP2");
          row.set_product_code("JG100TBX");
          row.set_product_name("Jasmine Green 100TB x 6");
          row.set_item_name("Jasmine Green ENVELOPE");
          row.set_sub_location("A2");
          row.set_plan_start("2026-11-08");
          row.set_plan_end("2026-11-21");
        }
      },
      [this](const ImportPlansResponse& response) {
        if (response.stored()) plan_import_id = response.import_id();
      });
}

void Story::AddRequest() {
  Add<CreateRequestRequest, CreateRequestResponse>(
      2, "mtp.order.v1.RequestService/CreateRequest", ROLE_GRANDPASS_OFFICER,
      [this](CreateRequestRequest& request) {
        request.mutable_request()->set_order_code(order_code);
        request.mutable_request()->set_requirement_grams(kOrderedGrams);
        request.mutable_request()->set_comments("as planned");
      },
      [this](const CreateRequestResponse& response) {
        for (const auto& one : response.request().shipments()) {
          shipment = one.key();
        }
      });
}

void Story::AddTea() {
  Add<v1::CreateLocationRequest, v1::CreateLocationResponse>(
      3, "mtp.processing.v1.LocationService/CreateLocation", ROLE_SEEDUWA_ADMIN,
      [this](v1::CreateLocationRequest& request) {
        request.mutable_location()->set_name(location);
      },
      [this](const v1::CreateLocationResponse& response) {
        location_id = response.location().location_id();
      });
  Add<v1::CreateTealineRequest, v1::CreateTealineResponse>(
      3, "mtp.processing.v1.MaterialService/CreateTealine", ROLE_SEEDUWA_ADMIN,
      [this](v1::CreateTealineRequest& request) {
        v1::NewTealine& tealine = *request.mutable_tealine();
        tealine.set_item_code("T-" + blend_code);
        tealine.set_invoice("INV-" + blend_code);
        tealine.set_grade("BOPF");
        tealine.set_garden(garden);
        tealine.set_broker("Forbes");
        tealine.set_bag_count(kTeaBagCount);
        tealine.set_bag_grams(kTeaBagGrams);
      },
      [this](const v1::CreateTealineResponse& response) {
        tealine_id = response.tealine().item_id();
      });
  Add<v1::BatchReceiveBagsRequest, v1::BatchReceiveBagsResponse>(
      3, "mtp.processing.v1.BagService/BatchReceiveBags", ROLE_SEEDUWA_OPERATOR,
      [this](v1::BatchReceiveBagsRequest& request) {
        for (int64_t i = 0; i < kTeaBagCount; ++i) {
          AddReceipt(request, kTeaBagGrams, location, tealine_id, "");
        }
      },
      [this](const v1::BatchReceiveBagsResponse& response) {
        tea_bags.clear();
        for (const auto& result : response.results()) {
          tea_bags.push_back(result.bag().barcode());
        }
      });
}

void Story::AddBlend() {
  Add<v1::CreateBlendbalanceRequest, v1::CreateBlendbalanceResponse>(
      4, "mtp.processing.v1.MaterialService/CreateBlendbalance",
      ROLE_SEEDUWA_ADMIN,
      [this](v1::CreateBlendbalanceRequest& request) {
        v1::NewBlendbalance& balance = *request.mutable_blendbalance();
        balance.set_item_code("B-" + blend_code);
        balance.set_blend_code(blend_code);
        balance.set_transfer_id("TR-" + blend_code);
        balance.set_expected_grams(kBalanceGrams);
      },
      [this](const v1::CreateBlendbalanceResponse& response) {
        balance_id = response.blendbalance().item_id();
      });
  Add<v1::ReceiveBagRequest, v1::ReceiveBagResponse>(
      4, "mtp.processing.v1.BagService/ReceiveBag", ROLE_SEEDUWA_OPERATOR,
      [this](v1::ReceiveBagRequest& request) {
        v1::BagReceipt& receipt = *request.mutable_receipt();
        receipt.set_item_id(balance_id);
        receipt.set_location_id(location_id);
        receipt.set_gross_grams(kBalanceGrams + kTareGrams);
        receipt.set_tare_grams(kTareGrams);
      },
      [this](const v1::ReceiveBagResponse& response) {
        balance_bag = response.bag().barcode();
      });
  Add<v1::CreateBlendsheetRequest, v1::CreateBlendsheetResponse>(
      4, "mtp.processing.v1.RecipeService/CreateBlendsheet", ROLE_SEEDUWA_ADMIN,
      [this](v1::CreateBlendsheetRequest& request) {
        request.set_number("BS-" + blend_code);
        v1::BlendsheetContent& sheet = *request.mutable_blendsheet();
        sheet.set_blend_code(blend_code);
        sheet.set_grade("BOPF");
        sheet.set_total_grams(kBlendBagCount * kBlendBagGrams);
        sheet.set_batch_count(1);
        v1::TealineMixture& tea = *sheet.add_tealines();
        tea.set_item_id(tealine_id);
        tea.set_bag_count(kBlendedTeaBagCount);
        v1::BlendbalanceMixture& balance = *sheet.add_blendbalances();
        balance.set_item_id(balance_id);
        balance.set_grams(kBalanceGrams);
      },
      [this](const v1::CreateBlendsheetResponse& response) {
        recipe_id = response.blendsheet().recipe_id();
      });
  Add<v1::OpenBatchRequest, v1::OpenBatchResponse>(
      4, "mtp.processing.v1.BatchService/OpenBatch", ROLE_SEEDUWA_OFFICER,
      [this](v1::OpenBatchRequest& request) {
        request.set_recipe_id(recipe_id);
      },
      [this](const v1::OpenBatchResponse& response) {
        batch_id = response.batch().batch_id();
      });
  Add<v1::BatchAllocateRequest, v1::BatchAllocateResponse>(
      4, "mtp.processing.v1.AllocationService/BatchAllocate",
      ROLE_SEEDUWA_OPERATOR, [this](v1::BatchAllocateRequest& request) {
        for (int64_t i = 0; i < kBlendedTeaBagCount; ++i) {
          v1::AllocationDraft& draft = *request.add_allocations();
          draft.set_barcode(tea_bags[static_cast<size_t>(i)]);
          draft.set_batch_id(batch_id);
          draft.set_grams(kTeaBagGrams);
        }
      });
  Add<v1::AllocateToBatchRequest, v1::AllocateToBatchResponse>(
      4, "mtp.processing.v1.AllocationService/AllocateToBatch",
      ROLE_SEEDUWA_OPERATOR, [this](v1::AllocateToBatchRequest& request) {
        // As the label has it.
        request.set_barcode("blendbalance:" + balance_bag);
        request.set_batch_id(batch_id);
        request.set_grams(kBalanceGrams);
      });
  Add<v1::BatchReceiveBagsRequest, v1::BatchReceiveBagsResponse>(
      4, "mtp.processing.v1.BagService/BatchReceiveBags", ROLE_SEEDUWA_OPERATOR,
      [this](v1::BatchReceiveBagsRequest& request) {
        for (int64_t i = 0; i < kBlendBagCount; ++i) {
          AddReceipt(request, kBlendBagGrams, location, "", batch_id);
        }
      },
      [this](const v1::BatchReceiveBagsResponse& response) {
        blend_bags.clear();
        for (const auto& result : response.results()) {
          blend_bags.push_back(result.bag().barcode());
        }
      });
}

void Story::AddApproval() {
  Add<v1::CompleteBatchRequest, v1::CompleteBatchResponse>(
      5, "mtp.processing.v1.BatchService/CompleteBatch", ROLE_SEEDUWA_OFFICER,
      [this](v1::CompleteBatchRequest& request) {
        request.set_batch_id(batch_id);
      });
  Add<v1::RecordMeasurementRequest, v1::RecordMeasurementResponse>(
      5, "mtp.processing.v1.BatchService/RecordMeasurement",
      ROLE_SEEDUWA_OFFICER, [this](v1::RecordMeasurementRequest& request) {
        request.set_batch_id(batch_id);
        request.set_humidity_basis_points(650);
        request.set_density_grams_per_cubic_metre(325'500);
      });
  Add<v1::RequestApprovalRequest, v1::RequestApprovalResponse>(
      5, "mtp.processing.v1.BatchService/RequestApproval", ROLE_SEEDUWA_OFFICER,
      [this](v1::RequestApprovalRequest& request) {
        request.set_batch_id(batch_id);
      });
  Add<v1::AllowBatchRequest, v1::AllowBatchResponse>(
      5, "mtp.processing.v1.BatchService/AllowBatch", ROLE_TRADER_OFFICER,
      [this](v1::AllowBatchRequest& request) {
        request.set_batch_id(batch_id);
        request.set_remarks("bright and brisk");
      });
}

void Story::AddAllocations() {
  Add<v1::MarkShipmentReadyRequest, v1::MarkShipmentReadyResponse>(
      6, "mtp.processing.v1.OutboundService/MarkShipmentReady",
      ROLE_SEEDUWA_OFFICER,
      [this](v1::MarkShipmentReadyRequest& request) {
        *request.mutable_key() = shipment;
      })
      .ready = [this] { return AtSeeduwa().has_key(); };
  Add<v1::AllocateToShipmentRequest, v1::AllocateToShipmentResponse>(
      6, "mtp.processing.v1.AllocationService/AllocateToShipment",
      ROLE_SEEDUWA_OPERATOR,
      [this](v1::AllocateToShipmentRequest& request) {
        request.set_barcode(blend_bags[0]);
        *request.mutable_shipment() = shipment;
        request.set_grams(kBlendBagGrams);
      },
      [this](const v1::AllocateToShipmentResponse& response) {
        shipment_allocations = {response.allocation().allocation_id()};
      });
  Add<v1::BatchAllocateRequest, v1::BatchAllocateResponse>(
      6, "mtp.processing.v1.AllocationService/BatchAllocate",
      ROLE_SEEDUWA_OPERATOR,
      [this](v1::BatchAllocateRequest& request) {
        for (int64_t i = 1; i < kShippedBagCount; ++i) {
          v1::AllocationDraft& draft = *request.add_allocations();
          draft.set_barcode(blend_bags[static_cast<size_t>(i)]);
          *draft.mutable_shipment() = shipment;
          draft.set_grams(kBlendBagGrams);
        }
      },
      [this](const v1::BatchAllocateResponse& response) {
        shipment_allocations.resize(1);
        for (const auto& result : response.results()) {
          shipment_allocations.push_back(result.allocation().allocation_id());
        }
      });
}

void Story::AddDispatch() {
  Add<v1::DispatchShipmentsRequest, v1::DispatchShipmentsResponse>(
      7, "mtp.processing.v1.OutboundService/DispatchShipments",
      ROLE_SEEDUWA_OPERATOR,
      [this](v1::DispatchShipmentsRequest& request) {
        *request.add_keys() = shipment;
        request.set_shipment_vehicle(vehicle);
      },
      [this](const v1::DispatchShipmentsResponse& response) {
        dispatch_id = response.dispatch_id();
      });
}

void Story::AddParcels() {
  Add<AcceptShipmentRequest, AcceptShipmentResponse>(
      8, "mtp.order.v1.ShipmentService/AcceptShipment", ROLE_GRANDPASS_GATEPASS,
      [this](AcceptShipmentRequest& request) {
        *request.mutable_key() = shipment;
        request.set_shipment_remarks("complete, seals intact");
      })
      .ready = [this] { return AtGrandpass().progress().has_dispatch(); };
  Add<CreateScheduleRequest, CreateScheduleResponse>(
      8, "mtp.order.v1.ScheduleService/CreateSchedule", ROLE_GRANDPASS_OFFICER,
      [this](CreateScheduleRequest& request) {
        order::v1::NewSchedule& schedule = *request.mutable_schedule();
        schedule.mutable_date()->set_year(2026);
        schedule.mutable_date()->set_month(11);
        schedule.mutable_date()->set_day(9);
        schedule.set_order_code(order_code);
        schedule.set_shift(common::v1::SHIFT_DAY);
        schedule.set_section("Line 4");
        schedule.set_quantity_grams(2 * kParcelGrams);
      },
      [this](const CreateScheduleResponse& response) {
        schedule_code = response.schedule().schedule_code();
      });
  for (const size_t number : {size_t{0}, size_t{1}}) {
    Add<v1::CreateParcelRequest, v1::CreateParcelResponse>(
        8, "mtp.processing.v1.AllocationService/CreateParcel",
        ROLE_GRANDPASS_DEV_MACHINE,
        [this, number](v1::CreateParcelRequest& request) {
          request.set_allocation_id(shipment_allocations[number]);
          request.set_schedule_code(schedule_code);
          request.set_grams(kParcelGrams);
        },
        [this, number](const v1::CreateParcelResponse& response) {
          parcels.resize(number);
          parcels.push_back(response.parcel().parcel_id());
        })
        .ready = [this] {
      return AtSeeduwa().status() ==
                 common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED &&
             stack_.Database(SIDE_PROCESSING)
                     .Try("SELECT 1 FROM schedule WHERE schedule_code = $1",
                          {absl::StrCat(schedule_code)})
                     .value_or(Sql::Rows())
                     .size() == 1;
    };
  }
  Add<CompleteScheduleRequest, CompleteScheduleResponse>(
      8, "mtp.order.v1.ScheduleService/CompleteSchedule",
      ROLE_GRANDPASS_DEV_MACHINE, [this](CompleteScheduleRequest& request) {
        request.set_schedule_code(schedule_code);
      });
}

absl::Status Story::Try(const Act& act) {
  const absl::Time give_up = absl::Now() + kLimit;
  if (act.ready && !Eventually(act.ready)) {
    return absl::DeadlineExceededError(
        act.method + ": this side does not hear of it from the other");
  }
  const std::unique_ptr<google::protobuf::Message> request = act.request();
  while (true) {
    const Reply reply =
        stack_.As(act.role, act.at()).Send(act.method, *request);
    if (reply.status.ok()) {
      act.learn(reply.bytes());
      return absl::OkStatus();
    }
    if (!WorthRepeating(reply.status) || absl::Now() >= give_up) {
      return absl::Status(
          reply.status.code(),
          absl::StrCat(act.method, ": ", reply.status.ToString()));
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
}

void Story::Do(const Act& act) {
  const absl::Status status = Try(act);
  if (!status.ok()) FAIL(status.ToString());
}

const Act& Story::Find(std::string_view method) const {
  for (const Act& act : acts_) {
    if (act.method == method) return act;
  }
  FAIL("the story has no " << std::string(method));
  return acts_.front();
}

void Story::DoUntil(std::string_view method) {
  for (const Act& act : acts_) {
    if (act.method == method) return;
    Do(act);
  }
}

void Story::DoSteps(int first, int last) {
  for (const Act& act : acts_) {
    if (act.step >= first && act.step <= last) Do(act);
  }
  if (last < kLastStep) return;
  bool names_the_garden = false;
  const v1::TraceResponse backward = TraceOfParcel();
  for (const v1::TraceNode& node : backward.nodes()) {
    names_the_garden |= node.item().garden() == garden;
  }
  CHECK(names_the_garden);
  bool names_the_shipment = false;
  const v1::TraceResponse forward = TraceOfTealine();
  for (const v1::TraceNode& node : forward.nodes()) {
    names_the_shipment |=
        node.shipment().key().request_code() == shipment.request_code();
  }
  CHECK(names_the_shipment);
}

order::v1::Shipment Story::AtGrandpass() const {
  order::v1::GetShipmentRequest request;
  *request.mutable_key() = shipment;
  return stack_
      .Call<order::v1::GetShipmentResponse>(
          ROLE_GRANDPASS_OFFICER, "mtp.order.v1.ShipmentService/GetShipment",
          request)
      .value_or(order::v1::GetShipmentResponse())
      .shipment();
}

v1::OpenShipment Story::AtSeeduwa() const {
  v1::GetShipmentManifestRequest request;
  *request.mutable_key() = shipment;
  return stack_
      .Call<v1::GetShipmentManifestResponse>(
          ROLE_SEEDUWA_OPERATOR,
          "mtp.processing.v1.OutboundService/GetShipmentManifest", request)
      .value_or(v1::GetShipmentManifestResponse())
      .shipment();
}

v1::TraceResponse Story::TraceOfParcel() const {
  v1::TraceRequest request;
  request.mutable_start()->set_parcel_id(parcels.at(0));
  request.set_direction(v1::TRACE_DIRECTION_BACKWARD);
  return stack_
      .Call<v1::TraceResponse>(ROLE_GRANDPASS_DEV_MACHINE,
                               "mtp.processing.v1.TraceService/Trace", request)
      .value();
}

v1::TraceResponse Story::TraceOfTealine() const {
  v1::TraceRequest request;
  request.mutable_start()->set_item_id(tealine_id);
  request.set_direction(v1::TRACE_DIRECTION_FORWARD);
  return stack_
      .Call<v1::TraceResponse>(ROLE_SEEDUWA_ADMIN,
                               "mtp.processing.v1.TraceService/Trace", request)
      .value();
}

}  // namespace mtp::tests
