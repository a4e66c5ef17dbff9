#include "tests/integration/detours.h"

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "common/base/protos.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/users.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/recipes.pb.h"
#include "mtp/sync/v1/states.pb.h"
#include "tests/support/agreement.h"

namespace mtp::tests {
namespace {

namespace ord = order::v1;
namespace pro = processing::v1;
using namespace options::v1;  // the roles

constexpr int64_t kGrams = 100'000;
// More than any story's plan has.
constexpr int64_t kBeyondThePlan = 10'000'000;

}  // namespace

Detours::Detours(Stack& stack)
    : plan_(stack),
      asked_(stack),
      allowed_(stack),
      done_(stack),
      opening_bag_(NewRequestId()) {
  plan_.DoSteps(1, 1);
  asked_.DoUntil("mtp.processing.v1.BatchService/AllowBatch");
  allowed_.DoSteps(1, 5);
  done_.DoSteps(1, 8);
  AddRequests();
  AddApprovals();
  AddSchedules();
  AddMaterials();
  AddRemovals();
  AddRecipes();
  AddTraders();
  AddMatrix();
  AddShipments();
  AddParcels();
  AddBags();
  AddExceptions(stack);
  AddDeadLetters(stack);
  AddProcessActs();
  AddUsers();
}

void Detours::AddUsers() {
  Add<ord::CreateUserRequest, ord::CreateUserResponse>(
      "mtp.order.v1.UserService/CreateUser", ROLE_MASTER_ADMIN,
      [this](ord::CreateUserRequest& request) {
        request.set_username("detour-" + allowed_.order_code);
        request.set_role(ROLE_GRANDPASS_OFFICER);
        request.set_password("nine quiet lorries uphill");
      },
      [this](const ord::CreateUserResponse& response) {
        user_ = response.user().subject();
      });
  Add<ord::UpdateUserRequest, ord::UpdateUserResponse>(
      "mtp.order.v1.UserService/UpdateUser", ROLE_MASTER_ADMIN,
      [this](ord::UpdateUserRequest& request) {
        request.set_subject(user_);
        request.mutable_user()->set_role(ROLE_GRANDPASS_SUPERVISOR);
        request.mutable_update_mask()->add_paths("role");
      });
  Add<ord::DisableUserRequest, ord::DisableUserResponse>(
      "mtp.order.v1.UserService/DisableUser", ROLE_MASTER_ADMIN,
      [this](ord::DisableUserRequest& request) {
        request.set_subject(user_);
        request.set_reason("gone to the coast");
      });
  Add<ord::EnableUserRequest, ord::EnableUserResponse>(
      "mtp.order.v1.UserService/EnableUser", ROLE_MASTER_ADMIN,
      [this](ord::EnableUserRequest& request) { request.set_subject(user_); });
  Add<ord::ResetPasswordRequest, ord::ResetPasswordResponse>(
      "mtp.order.v1.UserService/ResetPassword", ROLE_MASTER_ADMIN,
      [this](ord::ResetPasswordRequest& request) {
        request.set_subject(user_);
        request.set_password("seven loud kettles downhill");
      });
  Add<ord::DeleteUserRequest, ord::DeleteUserResponse>(
      "mtp.order.v1.UserService/DeleteUser", ROLE_MASTER_ADMIN,
      [this](ord::DeleteUserRequest& request) { request.set_subject(user_); });
}

void Detours::AddRequests() {
  Add<ord::BatchCreateRequestsRequest, ord::BatchCreateRequestsResponse>(
      "mtp.order.v1.RequestService/BatchCreateRequests", ROLE_GRANDPASS_OFFICER,
      [this](ord::BatchCreateRequestsRequest& request) {
        for (int i = 0; i < 2; ++i) {
          ord::NewRequest& one = *request.add_requests();
          one.set_order_code(allowed_.order_code);
          one.set_requirement_grams(kGrams);
        }
      },
      [this](const ord::BatchCreateRequestsResponse& response) {
        shipments_.clear();
        for (const auto& result : response.results()) {
          shipments_.push_back(result.request().shipments(0).key());
        }
      });
  Add<ord::SetShipmentQuantityRequest, ord::SetShipmentQuantityResponse>(
      "mtp.order.v1.ShipmentService/SetShipmentQuantity",
      ROLE_GRANDPASS_OFFICER, [this](ord::SetShipmentQuantityRequest& request) {
        *request.mutable_key() = shipments_[0];
        request.set_quantity_grams(kGrams / 2);
      });
  Add<ord::CancelShipmentRequest, ord::CancelShipmentResponse>(
      "mtp.order.v1.ShipmentService/CancelShipment", ROLE_GRANDPASS_OFFICER,
      [this](ord::CancelShipmentRequest& request) {
        *request.mutable_key() = shipments_[1];
        request.set_order_remarks("not needed any more");
      });
  Add<ord::ImportOpenRequestsRequest, ord::ImportOpenRequestsResponse>(
      "mtp.order.v1.RequestService/ImportOpenRequests", ROLE_GRANDPASS_ADMIN,
      [this](ord::ImportOpenRequestsRequest& request) {
        request.set_file_name("open.csv");
        request.set_file_digest(FileDigest(asked_.blend_code));
        ord::OpenRequestRow& row = *request.add_rows();
        row.set_line_number(2);
        row.set_reference("OLD-" + asked_.blend_code);
        row.set_order_code(asked_.order_code);
        row.set_quantity("12.5");
        row.set_requested_on("08/11/2025");
      });
  Add<ord::DeletePlanRequest, ord::DeletePlanResponse>(
      "mtp.order.v1.PlanService/DeletePlan", ROLE_GRANDPASS_ADMIN,
      [this](ord::DeletePlanRequest& request) {
        request.set_order_code(plan_.order_code);
      });
}

void Detours::AddApprovals() {
  const auto add_special = [this] {
    Add<ord::CreateRequestRequest, ord::CreateRequestResponse>(
        "mtp.order.v1.RequestService/CreateRequest", ROLE_GRANDPASS_OFFICER,
        [this](ord::CreateRequestRequest& request) {
          request.mutable_request()->set_order_code(allowed_.order_code);
          request.mutable_request()->set_requirement_grams(kBeyondThePlan);
          request.mutable_request()->set_approval_requested(true);
        },
        [this](const ord::CreateRequestResponse& response) {
          special_ = response.request().shipments(0).key();
        });
  };
  add_special();
  Add<ord::ApproveShipmentRequest, ord::ApproveShipmentResponse>(
      "mtp.order.v1.ShipmentService/ApproveShipment", ROLE_GRANDPASS_SUPERVISOR,
      [this](ord::ApproveShipmentRequest& request) {
        *request.mutable_key() = special_;
      });
  add_special();
  Add<ord::DenyShipmentRequest, ord::DenyShipmentResponse>(
      "mtp.order.v1.ShipmentService/DenyShipment", ROLE_GRANDPASS_SUPERVISOR,
      [this](ord::DenyShipmentRequest& request) {
        *request.mutable_key() = special_;
        request.set_order_remarks("too much");
      });
}

void Detours::AddSchedules() {
  Add<ord::BatchCreateSchedulesRequest, ord::BatchCreateSchedulesResponse>(
      "mtp.order.v1.ScheduleService/BatchCreateSchedules",
      ROLE_GRANDPASS_OFFICER,
      [this](ord::BatchCreateSchedulesRequest& request) {
        for (const auto shift :
             {common::v1::SHIFT_NIGHT, common::v1::SHIFT_NIGHT_AND_DAY}) {
          ord::NewSchedule& one = *request.add_schedules();
          one.mutable_date()->set_year(2026);
          one.mutable_date()->set_month(12);
          one.mutable_date()->set_day(1);
          one.set_order_code(allowed_.order_code);
          one.set_shift(shift);
          one.set_section("Line 2");
          one.set_quantity_grams(kGrams);
        }
      },
      [this](const ord::BatchCreateSchedulesResponse& response) {
        schedule_code_ = response.results(0).schedule().schedule_code();
      });
  Add<ord::UpdateScheduleRequest, ord::UpdateScheduleResponse>(
      "mtp.order.v1.ScheduleService/UpdateSchedule", ROLE_GRANDPASS_OFFICER,
      [this](ord::UpdateScheduleRequest& request) {
        request.set_schedule_code(schedule_code_);
        request.mutable_schedule()->set_section("Line 3");
        request.mutable_update_mask()->add_paths("section");
      });
  Add<ord::CompleteScheduleRequest, ord::CompleteScheduleResponse>(
      "mtp.order.v1.ScheduleService/CompleteSchedule", ROLE_GRANDPASS_OFFICER,
      [this](ord::CompleteScheduleRequest& request) {
        request.set_schedule_code(schedule_code_);
      });
  Add<ord::ReopenScheduleRequest, ord::ReopenScheduleResponse>(
      "mtp.order.v1.ScheduleService/ReopenSchedule", ROLE_GRANDPASS_OFFICER,
      [this](ord::ReopenScheduleRequest& request) {
        request.set_schedule_code(schedule_code_);
        request.set_reason("one pallet was forgotten");
      });
}

void Detours::AddMaterials() {
  Add<pro::CreateLocationRequest, pro::CreateLocationResponse>(
      "mtp.processing.v1.LocationService/CreateLocation", ROLE_SEEDUWA_ADMIN,
      [this](pro::CreateLocationRequest& request) {
        request.mutable_location()->set_name("Annex of " + allowed_.location);
      },
      [this](const pro::CreateLocationResponse& response) {
        location_id_ = response.location().location_id();
      });
  Add<pro::UpdateLocationRequest, pro::UpdateLocationResponse>(
      "mtp.processing.v1.LocationService/UpdateLocation", ROLE_SEEDUWA_ADMIN,
      [this](pro::UpdateLocationRequest& request) {
        request.set_location_id(location_id_);
        request.mutable_location()->set_name("Loft of " + allowed_.location);
        request.mutable_update_mask()->add_paths("name");
      });
  Add<pro::MoveBagRequest, pro::MoveBagResponse>(
      "mtp.processing.v1.BagService/MoveBag", ROLE_SEEDUWA_OPERATOR,
      [this](pro::MoveBagRequest& request) {
        request.set_barcode(allowed_.tea_bags.back());
        request.set_location_id(location_id_);
      });
  Add<pro::ImportOpeningStockRequest, pro::ImportOpeningStockResponse>(
      "mtp.processing.v1.BagService/ImportOpeningStock", ROLE_SEEDUWA_ADMIN,
      [this](pro::ImportOpeningStockRequest& request) {
        request.set_file_name("stock.csv");
        request.set_file_digest(FileDigest(allowed_.blend_code));
        pro::OpeningStockRow& row = *request.add_rows();
        row.set_line_number(2);
        row.set_kind("blendsheet");
        row.set_code("BS-" + allowed_.blend_code);
        row.set_batch_number("1");
        row.set_barcode(opening_bag_);
        row.set_location(allowed_.location);
        row.set_gross("25.5");
        row.set_tare("0.5");
      });
  Add<pro::UpdateTealineRequest, pro::UpdateTealineResponse>(
      "mtp.processing.v1.MaterialService/UpdateTealine", ROLE_SEEDUWA_ADMIN,
      [this](pro::UpdateTealineRequest& request) {
        request.set_item_id(allowed_.tealine_id);
        request.mutable_tealine()->set_broker("John Keells");
        request.mutable_update_mask()->add_paths("broker");
      });
  Add<pro::CreateHerblineRequest, pro::CreateHerblineResponse>(
      "mtp.processing.v1.MaterialService/CreateHerbline", ROLE_SEEDUWA_ADMIN,
      [this](pro::CreateHerblineRequest& request) {
        request.mutable_herbline()->set_item_code("H-" + allowed_.blend_code);
        request.mutable_herbline()->set_name("Lemongrass");
        request.mutable_herbline()->set_expected_grams(kGrams);
      },
      [this](const pro::CreateHerblineResponse& response) {
        herbline_id_ = response.herbline().item_id();
      });
  Add<pro::UpdateHerblineRequest, pro::UpdateHerblineResponse>(
      "mtp.processing.v1.MaterialService/UpdateHerbline", ROLE_SEEDUWA_ADMIN,
      [this](pro::UpdateHerblineRequest& request) {
        request.set_item_id(herbline_id_);
        request.mutable_herbline()->set_purchase_order("PO-7");
        request.mutable_update_mask()->add_paths("purchase_order");
      });
  Add<pro::UpdateBlendbalanceRequest, pro::UpdateBlendbalanceResponse>(
      "mtp.processing.v1.MaterialService/UpdateBlendbalance",
      ROLE_SEEDUWA_ADMIN, [this](pro::UpdateBlendbalanceRequest& request) {
        request.set_item_id(allowed_.balance_id);
        request.mutable_blendbalance()->set_transfer_id("TR-2");
        request.mutable_update_mask()->add_paths("transfer_id");
      });
}

void Detours::AddRemovals() {
  Add<pro::CreateLocationRequest, pro::CreateLocationResponse>(
      "mtp.processing.v1.LocationService/CreateLocation", ROLE_SEEDUWA_ADMIN,
      [this](pro::CreateLocationRequest& request) {
        request.mutable_location()->set_name("Shed of " + allowed_.location);
      },
      [this](const pro::CreateLocationResponse& response) {
        removed_id_ = response.location().location_id();
      });
  Add<pro::DeleteLocationRequest, pro::DeleteLocationResponse>(
      "mtp.processing.v1.LocationService/DeleteLocation", ROLE_SEEDUWA_ADMIN,
      [this](pro::DeleteLocationRequest& request) {
        request.set_location_id(removed_id_);
      });
  Add<pro::CreateTealineRequest, pro::CreateTealineResponse>(
      "mtp.processing.v1.MaterialService/CreateTealine", ROLE_SEEDUWA_ADMIN,
      [this](pro::CreateTealineRequest& request) {
        pro::NewTealine& tealine = *request.mutable_tealine();
        tealine.set_item_code("TX-" + allowed_.blend_code);
        tealine.set_invoice("INV-X");
        tealine.set_grade("OP");
        tealine.set_garden(allowed_.garden);
        tealine.set_bag_count(1);
        tealine.set_bag_grams(kGrams);
      },
      [this](const pro::CreateTealineResponse& response) {
        removed_id_ = response.tealine().item_id();
      });
  Add<pro::DeleteTealineRequest, pro::DeleteTealineResponse>(
      "mtp.processing.v1.MaterialService/DeleteTealine", ROLE_SEEDUWA_ADMIN,
      [this](pro::DeleteTealineRequest& request) {
        request.set_item_id(removed_id_);
      });
  Add<pro::CreateHerblineRequest, pro::CreateHerblineResponse>(
      "mtp.processing.v1.MaterialService/CreateHerbline", ROLE_SEEDUWA_ADMIN,
      [this](pro::CreateHerblineRequest& request) {
        request.mutable_herbline()->set_item_code("HX-" + allowed_.blend_code);
        request.mutable_herbline()->set_name("Ginger");
        request.mutable_herbline()->set_expected_grams(kGrams);
      },
      [this](const pro::CreateHerblineResponse& response) {
        removed_id_ = response.herbline().item_id();
      });
  Add<pro::DeleteHerblineRequest, pro::DeleteHerblineResponse>(
      "mtp.processing.v1.MaterialService/DeleteHerbline", ROLE_SEEDUWA_ADMIN,
      [this](pro::DeleteHerblineRequest& request) {
        request.set_item_id(removed_id_);
      });
  Add<pro::CreateBlendbalanceRequest, pro::CreateBlendbalanceResponse>(
      "mtp.processing.v1.MaterialService/CreateBlendbalance",
      ROLE_SEEDUWA_ADMIN,
      [this](pro::CreateBlendbalanceRequest& request) {
        pro::NewBlendbalance& balance = *request.mutable_blendbalance();
        balance.set_item_code("BX-" + allowed_.blend_code);
        balance.set_blend_code(allowed_.blend_code);
        balance.set_transfer_id("TR-X");
      },
      [this](const pro::CreateBlendbalanceResponse& response) {
        removed_id_ = response.blendbalance().item_id();
      });
  Add<pro::DeleteBlendbalanceRequest, pro::DeleteBlendbalanceResponse>(
      "mtp.processing.v1.MaterialService/DeleteBlendbalance",
      ROLE_SEEDUWA_ADMIN, [this](pro::DeleteBlendbalanceRequest& request) {
        request.set_item_id(removed_id_);
      });
}

void Detours::AddRecipes() {
  Add<pro::ReviseBlendsheetRequest, pro::ReviseBlendsheetResponse>(
      "mtp.processing.v1.RecipeService/ReviseBlendsheet", ROLE_SEEDUWA_ADMIN,
      [this](pro::ReviseBlendsheetRequest& request) {
        request.set_recipe_id(allowed_.recipe_id);
        pro::BlendsheetContent& sheet = *request.mutable_blendsheet();
        sheet.set_blend_code(allowed_.blend_code);
        sheet.set_remarks("without left-over blend");
        sheet.set_total_grams(Story::kTeaBagGrams);
        sheet.set_batch_count(2);
        pro::TealineMixture& tea = *sheet.add_tealines();
        tea.set_item_id(allowed_.tealine_id);
        tea.set_bag_count(1);
      });
  const auto fill_flavor = [this](pro::FlavorsheetContent& sheet) {
    sheet.set_flavor_code("FL" + allowed_.blend_code);
    pro::FlavorsheetMixture& blend = *sheet.add_mixtures();
    blend.set_blendsheet_recipe_id(allowed_.recipe_id);
    blend.set_grams(kGrams);
    pro::FlavorsheetMixture& herb = *sheet.add_mixtures();
    herb.set_herbline_item_id(herbline_id_);
    herb.set_grams(kGrams / 10);
  };
  Add<pro::CreateFlavorsheetRequest, pro::CreateFlavorsheetResponse>(
      "mtp.processing.v1.RecipeService/CreateFlavorsheet", ROLE_SEEDUWA_ADMIN,
      [this, fill_flavor](pro::CreateFlavorsheetRequest& request) {
        request.set_number("FS-" + allowed_.blend_code);
        fill_flavor(*request.mutable_flavorsheet());
      },
      [this](const pro::CreateFlavorsheetResponse& response) {
        flavorsheet_id_ = response.flavorsheet().recipe_id();
      });
  Add<pro::ReviseFlavorsheetRequest, pro::ReviseFlavorsheetResponse>(
      "mtp.processing.v1.RecipeService/ReviseFlavorsheet", ROLE_SEEDUWA_ADMIN,
      [this, fill_flavor](pro::ReviseFlavorsheetRequest& request) {
        request.set_recipe_id(flavorsheet_id_);
        fill_flavor(*request.mutable_flavorsheet());
        request.mutable_flavorsheet()->set_remarks("second try");
      });
  Add<pro::RetireFlavorsheetRequest, pro::RetireFlavorsheetResponse>(
      "mtp.processing.v1.RecipeService/RetireFlavorsheet", ROLE_SEEDUWA_ADMIN,
      [this](pro::RetireFlavorsheetRequest& request) {
        request.set_recipe_id(flavorsheet_id_);
      });
  Add<pro::RetireBlendsheetRequest, pro::RetireBlendsheetResponse>(
      "mtp.processing.v1.RecipeService/RetireBlendsheet", ROLE_SEEDUWA_ADMIN,
      [this](pro::RetireBlendsheetRequest& request) {
        request.set_recipe_id(allowed_.recipe_id);
      });
}

void Detours::AddTraders() {
  Add<pro::ElevateBatchRequest, pro::ElevateBatchResponse>(
      "mtp.processing.v1.BatchService/ElevateBatch", ROLE_TRADER_OFFICER,
      [this](pro::ElevateBatchRequest& request) {
        request.set_batch_id(asked_.batch_id);
        request.set_remarks("smoky");
      });
  Add<pro::BlockBatchRequest, pro::BlockBatchResponse>(
      "mtp.processing.v1.BatchService/BlockBatch", ROLE_TRADER_SUPERVISOR,
      [this](pro::BlockBatchRequest& request) {
        request.set_batch_id(asked_.batch_id);
        request.set_remarks("smoky indeed");
      });
  Add<pro::ReopenBatchRequest, pro::ReopenBatchResponse>(
      "mtp.processing.v1.BatchService/ReopenBatch", ROLE_SEEDUWA_OFFICER,
      [this](pro::ReopenBatchRequest& request) {
        request.set_batch_id(asked_.batch_id);
        request.set_reason("to take the tea out again");
      });
}

void Detours::AddMatrix() {
  Add<pro::SetAllocationRuleRequest, pro::SetAllocationRuleResponse>(
      "mtp.processing.v1.AllocationService/SetAllocationRule",
      ROLE_SEEDUWA_ADMIN, [](pro::SetAllocationRuleRequest& request) {
        // Closed as it is: other stories live by the matrix.
        request.set_kind(pro::MATERIAL_KIND_HERBLINE);
        request.set_target(pro::ALLOCATION_TARGET_KIND_SHIPMENT);
      });
}

void Detours::AddShipments() {
  Add<pro::MarkShipmentNotReadyRequest, pro::MarkShipmentNotReadyResponse>(
      "mtp.processing.v1.OutboundService/MarkShipmentNotReady",
      ROLE_SEEDUWA_OFFICER,
      [this](pro::MarkShipmentNotReadyRequest& request) {
        *request.mutable_key() = allowed_.shipment;
        request.set_order_remarks("the lift is broken");
      })
      .ready = [this] { return allowed_.AtSeeduwa().has_key(); };
  // Into the shipment of another story and from there into this one.
  Add<pro::AllocateToShipmentRequest, pro::AllocateToShipmentResponse>(
      "mtp.processing.v1.AllocationService/AllocateToShipment",
      ROLE_SEEDUWA_OPERATOR,
      [this](pro::AllocateToShipmentRequest& request) {
        request.set_barcode(allowed_.blend_bags[1]);
        *request.mutable_shipment() = asked_.shipment;
        request.set_grams(Story::kBlendBagGrams);
      },
      [this](const pro::AllocateToShipmentResponse& response) {
        allocation_id_ = response.allocation().allocation_id();
      });
  Add<pro::MoveAllocationRequest, pro::MoveAllocationResponse>(
      "mtp.processing.v1.AllocationService/MoveAllocation",
      ROLE_SEEDUWA_OPERATOR, [this](pro::MoveAllocationRequest& request) {
        request.set_allocation_id(allocation_id_);
        *request.mutable_shipment() = allowed_.shipment;
        request.set_grams(Story::kBlendBagGrams / 2);
      });
  const auto add_allocation = [this] {
    Add<pro::AllocateToShipmentRequest, pro::AllocateToShipmentResponse>(
        "mtp.processing.v1.AllocationService/AllocateToShipment",
        ROLE_SEEDUWA_OPERATOR,
        [this](pro::AllocateToShipmentRequest& request) {
          request.set_barcode(allowed_.blend_bags[0]);
          *request.mutable_shipment() = allowed_.shipment;
          request.set_grams(Story::kBlendBagGrams / 2);
        },
        [this](const pro::AllocateToShipmentResponse& response) {
          allocation_id_ = response.allocation().allocation_id();
        });
  };
  add_allocation();
  Add<pro::ReleaseAllocationRequest, pro::ReleaseAllocationResponse>(
      "mtp.processing.v1.AllocationService/ReleaseAllocation",
      ROLE_SEEDUWA_OPERATOR, [this](pro::ReleaseAllocationRequest& request) {
        request.set_allocation_id(allocation_id_);
      });
  add_allocation();
  Add<pro::MarkShipmentReadyRequest, pro::MarkShipmentReadyResponse>(
      "mtp.processing.v1.OutboundService/MarkShipmentReady",
      ROLE_SEEDUWA_OFFICER, [this](pro::MarkShipmentReadyRequest& request) {
        *request.mutable_key() = allowed_.shipment;
      });
  Add<pro::DispatchShipmentsRequest, pro::DispatchShipmentsResponse>(
      "mtp.processing.v1.OutboundService/DispatchShipments",
      ROLE_SEEDUWA_OPERATOR, [this](pro::DispatchShipmentsRequest& request) {
        *request.add_keys() = allowed_.shipment;
        request.set_shipment_vehicle("LX-1");
      });
  Add<pro::CorrectDispatchRequest, pro::CorrectDispatchResponse>(
      "mtp.processing.v1.OutboundService/CorrectDispatch", ROLE_SEEDUWA_OFFICER,
      [this](pro::CorrectDispatchRequest& request) {
        *request.mutable_key() = allowed_.shipment;
        request.set_shipment_vehicle("LX-2");
        request.set_reason("another lorry came");
      });
}

void Detours::AddParcels() {
  Add<ord::ReopenScheduleRequest, ord::ReopenScheduleResponse>(
      "mtp.order.v1.ScheduleService/ReopenSchedule", ROLE_GRANDPASS_OFFICER,
      [this](ord::ReopenScheduleRequest& request) {
        request.set_schedule_code(done_.schedule_code);
        request.set_reason("the wrong bag");
      });
  Add<pro::ReleaseParcelRequest, pro::ReleaseParcelResponse>(
      "mtp.processing.v1.AllocationService/ReleaseParcel",
      ROLE_GRANDPASS_DEV_MACHINE,
      [this](pro::ReleaseParcelRequest& request) {
        request.set_parcel_id(done_.parcels[0]);
      })
      .ready = [this] { return Disagreement(done_.stack()).empty(); };
}

void Detours::AddBags() {
  Add<pro::CorrectBagRequest, pro::CorrectBagResponse>(
      "mtp.processing.v1.BagService/CorrectBag", ROLE_SEEDUWA_OFFICER,
      [this](pro::CorrectBagRequest& request) {
        request.set_barcode(done_.tea_bags[20]);
        request.set_gross_grams(Story::kTeaBagGrams);
        request.set_tare_grams(400);
        request.set_reason("another pallet was on the scale");
      });
  Add<pro::WriteOffBagRequest, pro::WriteOffBagResponse>(
      "mtp.processing.v1.BagService/WriteOffBag", ROLE_SEEDUWA_OPERATOR,
      [this](pro::WriteOffBagRequest& request) {
        request.set_barcode(done_.tea_bags[20]);
        request.set_grams(250);
        request.set_reason(pro::WRITE_OFF_REASON_SAMPLE);
      });
  Add<pro::DispatchBagRequest, pro::DispatchBagResponse>(
      "mtp.processing.v1.BagService/DispatchBag", ROLE_SEEDUWA_OPERATOR,
      [this](pro::DispatchBagRequest& request) {
        request.set_barcode(done_.tea_bags[20]);
        request.set_reason("to the auction");
      });
  Add<pro::ReturnBagRequest, pro::ReturnBagResponse>(
      "mtp.processing.v1.BagService/ReturnBag", ROLE_SEEDUWA_OPERATOR,
      [this](pro::ReturnBagRequest& request) {
        request.set_barcode(done_.tea_bags[20]);
        request.set_location(done_.location);
        request.set_gross_grams(Story::kTeaBagGrams - 1'000);
        request.set_tare_grams(400);
      });
  Add<pro::ReturnBagRequest, pro::ReturnBagResponse>(
      "mtp.processing.v1.BagService/ReturnBag", ROLE_SEEDUWA_OPERATOR,
      [this](pro::ReturnBagRequest& request) {
        request.set_barcode(done_.blend_bags[5]);
        request.set_location(done_.location);
        request.set_gross_grams(Story::kBlendBagGrams);
        request.set_tare_grams(500);
        *request.mutable_shipment() = done_.shipment;
      });
  Add<pro::RecordStocktakeRequest, pro::RecordStocktakeResponse>(
      "mtp.processing.v1.BagService/RecordStocktake", ROLE_SEEDUWA_OFFICER,
      [this](pro::RecordStocktakeRequest& request) {
        request.set_location(done_.location);
        request.set_reason("end of the month");
        for (size_t i = 21; i < 30; ++i) {
          pro::StocktakeCount& count = *request.add_counts();
          count.set_barcode(done_.tea_bags[i]);
          count.set_remaining_grams(Story::kTeaBagGrams - 25 +
                                    static_cast<int64_t>(i));
        }
      });
}

// One on each side, as if facts of a shipment did not fit.
void Detours::AddExceptions(Stack& stack) {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const std::string id = NewRequestId();
    stack.Owner(side).Query(
        "INSERT INTO sync.exception (exception_id, kind, things, amounts, "
        "description, must_act, acting_side, dedupe_key) VALUES "
        "($1::text::uuid, "
        "'DISPATCHED_MORE_THAN_ORDERED', ARRAY['shipment:' || $2], "
        "'{\"ordered\": 1, \"dispatched\": 2}', 'One gram too much.', "
        "'GRANDPASS_OFFICER', 'ORDER', $1)",
        {id, KeyText(done_.shipment)});
    Add<ops::v1::CloseExceptionRequest, ops::v1::CloseExceptionResponse>(
        "mtp.ops.v1.OperationsService/CloseException", ROLE_MASTER_ADMIN,
        [id](ops::v1::CloseExceptionRequest& request) {
          request.set_exception_id(id);
          request.set_reason("swept up");
        })
        .side = side;
  }
}

// Letters of shipments that nobody knows and that have no quantity: they stay
// what they are.
void Detours::AddDeadLetters(Stack& stack) {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const std::string id = NewRequestId();
    const int64_t code = absl::ToUnixMicros(absl::Now());
    // Both kinds of state have stamp and key in the same fields.
    sync::v1::ShipmentProgressState state;
    state.mutable_stamp()->set_epoch(1);
    state.mutable_stamp()->set_version(1);
    state.mutable_key()->set_request_code(code);
    state.mutable_key()->set_shipment_code(1);
    stack.Owner(side).Query(
        "INSERT INTO sync.dead_letter (kind, key, dead_letter_id, version, "
        "epoch, state, reason) VALUES ($1, $2, $3::text::uuid, 1, 1, "
        "decode($4, 'hex'), 'INVALID_STATE')",
        {side == SIDE_ORDER ? "shipment_progress" : "shipment",
         KeyText(code, 1), id,
         absl::BytesToHexString(state.SerializeAsString())});
    Add<ops::v1::RetryDeadLetterRequest, ops::v1::RetryDeadLetterResponse>(
        "mtp.ops.v1.OperationsService/RetryDeadLetter", ROLE_MASTER_ADMIN,
        [id](ops::v1::RetryDeadLetterRequest& request) {
          request.set_dead_letter_id(id);
        })
        .side = side;
    Add<ops::v1::DropDeadLetterRequest, ops::v1::DropDeadLetterResponse>(
        "mtp.ops.v1.OperationsService/DropDeadLetter", ROLE_MASTER_ADMIN,
        [id](ops::v1::DropDeadLetterRequest& request) {
          request.set_dead_letter_id(id);
          request.set_reason("nobody misses it");
        })
        .side = side;
  }
}

void Detours::AddProcessActs() {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    Add<ops::v1::ResetBreakerRequest, ops::v1::ResetBreakerResponse>(
        "mtp.ops.v1.OperationsService/ResetBreaker", ROLE_MASTER_ADMIN,
        [side](ops::v1::ResetBreakerRequest& request) {
          request.set_name(side == SIDE_ORDER ? "processing" : "order");
        })
        .side = side;
    Add<ops::v1::SetLogLevelRequest, ops::v1::SetLogLevelResponse>(
        "mtp.ops.v1.OperationsService/SetLogLevel", ROLE_MASTER_ADMIN,
        [](ops::v1::SetLogLevelRequest& request) {
          request.set_level(ops::v1::LOG_LEVEL_INFO);
        })
        .side = side;
  }
}

}  // namespace mtp::tests
