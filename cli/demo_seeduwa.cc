// The steps of the demonstration that people at Seeduwa take.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/demo.h"
#include "cli/fields.h"
#include "cli/material_views.h"
#include "cli/processing_views.h"
#include "cli/recipe_views.h"
#include "cli/weights.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "mtp/processing/v1/recipes.pb.h"

namespace mtp::cli {
namespace {

using namespace options::v1;     // NOLINT: the roles
using namespace processing::v1;  // NOLINT: this file's whole subject
using common::v1::SIDE_PROCESSING;

constexpr char kLocation[] = "Stores A-12";
constexpr char kVehicle[] = "WP LG-4821";
constexpr int64_t kTareGrams = 400;

constexpr int64_t kFirstBags = 40;
constexpr int64_t kFirstBagGrams = 50'000;
constexpr int64_t kSecondBags = 12;
constexpr int64_t kSecondBagGrams = 40'000;
constexpr int64_t kBalanceGrams = 24'500;

// What goes into the batch, and what comes out: a percent is lost as dust.
constexpr int64_t kFirstBagsIn = 6;
constexpr int64_t kSecondBagsIn = 5;
constexpr int64_t kBalanceGramsIn = 20'000;
constexpr int64_t kPlannedGrams = kFirstBagsIn * kFirstBagGrams +
                                  kSecondBagsIn * kSecondBagGrams +
                                  kBalanceGramsIn;
constexpr int64_t kBlendBags = 13;
constexpr int64_t kBlendBagGrams = 39'600;

// A scale never says the same twice.
int64_t Scattered(int64_t grams, int64_t number) {
  constexpr int64_t kStepGrams = 50;
  return grams + (number * 3 % 5 - 2) * kStepGrams;
}

void AddReceipts(BatchReceiveBagsRequest& request, const std::string& location,
                 int64_t count, int64_t bag_grams, bool scattered,
                 const std::function<void(BagReceipt&)>& set_source) {
  for (int64_t i = 0; i < count; ++i) {
    BagReceipt& receipt = *request.add_receipts();
    set_source(receipt);
    receipt.set_location(location);
    receipt.set_gross_grams(kTareGrams +
                            (scattered ? Scattered(bag_grams, i) : bag_grams));
    receipt.set_tare_grams(kTareGrams);
  }
}

// The first few of many.
std::string FirstBags(const std::vector<Bag>& bags) {
  constexpr size_t kShown = 3;
  const size_t shown = std::min(kShown, bags.size());
  Many<Bag> first(bags.begin(), bags.begin() + shown);
  std::string text = BagsText(first);
  if (bags.size() > shown) {
    absl::StrAppend(&text, "and ", bags.size() - shown, " more\n");
  }
  return text;
}

int64_t NetGrams(const std::vector<Bag>& bags) {
  int64_t grams = 0;
  for (const Bag& bag : bags) grams += bag.net_grams();
  return grams;
}

void AddDraft(BatchAllocateRequest& request, const Bag& bag,
              const std::string& batch_id, int64_t grams) {
  AllocationDraft& draft = *request.add_allocations();
  draft.set_barcode(bag.barcode());
  draft.set_batch_id(batch_id);
  draft.set_grams(grams);
}

// Every item of a batch call must have been done here.
template <typename Response>
absl::Status FirstRefusal(const Response& response) {
  for (const auto& result : response.results()) {
    if (result.has_error()) return StatusOf(result.error());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Demo::FindLocation() {
  location_ = kLocation;
  story_.Act(ROLE_SEEDUWA_ADMIN,
             absl::StrCat("makes the location ", location_));
  CreateLocationRequest request;
  request.mutable_location()->set_name(location_);
  CreateLocationResponse response;
  const absl::Status status = As(ROLE_SEEDUWA_ADMIN, request, response);
  if (errors::Reason(status) == "LOCATION_NAME_TAKEN") {
    story_.Note("It is there already.");
    return absl::OkStatus();
  }
  return status;
}

absl::Status Demo::DefineTealine(const std::string& code,
                                 const std::string& garden,
                                 const std::string& grade, int64_t bags,
                                 int64_t bag_grams, Tealine& tealine) {
  story_.Act(ROLE_SEEDUWA_ADMIN, absl::StrCat("defines a tealine: ", bags,
                                              " bags of ", garden, " ", grade));
  CreateTealineRequest request;
  auto& made = *request.mutable_tealine();
  made.set_item_code(code);
  made.set_invoice("INV-" + code);
  made.set_grade(grade);
  made.set_garden(garden);
  made.set_broker("Forbes & Walker");
  made.set_purchase_order("PO-" + run_);
  made.set_bag_count(bags);
  made.set_bag_grams(bag_grams);
  CreateTealineResponse response;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_ADMIN, request, response));
  tealine = response.tealine();
  Many<Tealine> one;
  *one.Add() = tealine;
  story_.Reply(TealinesText(one));
  return absl::OkStatus();
}

absl::Status Demo::WeighIn(const BatchReceiveBagsRequest& request,
                           const std::string& what, std::vector<Bag>& bags) {
  story_.Act(
      ROLE_SEEDUWA_OPERATOR,
      absl::StrCat("weighs in ", request.receipts_size(),
                   request.receipts_size() == 1 ? " bag " : " bags ", what));
  BatchReceiveBagsRequest weighed = request;
  BatchReceiveBagsResponse response;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OPERATOR, weighed, response));
  RETURN_IF_ERROR(FirstRefusal(response));
  for (const auto& result : response.results()) bags.push_back(result.bag());
  story_.Reply(FirstBags(bags));
  story_.Note("Together " + Kilograms(NetGrams(bags)) + ".");
  return absl::OkStatus();
}

absl::Status Demo::ReceiveTea() {
  RETURN_IF_ERROR(FindLocation());
  RETURN_IF_ERROR(DefineTealine("BOG-" + run_, "Bogawantalawa", "BOPF",
                                kFirstBags, kFirstBagGrams, first_tealine_));
  BatchReceiveBagsRequest first;
  AddReceipts(first, location_, kFirstBags, kFirstBagGrams, true,
              [&](BagReceipt& receipt) {
                receipt.set_item_id(first_tealine_.item_id());
              });
  RETURN_IF_ERROR(
      WeighIn(first, "of " + first_tealine_.item_code(), first_bags_));

  RETURN_IF_ERROR(DefineTealine("UVA-" + run_, "Uva Highlands", "PEKOE",
                                kSecondBags, kSecondBagGrams, second_tealine_));
  BatchReceiveBagsRequest second;
  AddReceipts(second, location_, kSecondBags, kSecondBagGrams, true,
              [&](BagReceipt& receipt) {
                receipt.set_item_id(second_tealine_.item_id());
              });
  return WeighIn(second, "of " + second_tealine_.item_code(), second_bags_);
}

absl::Status Demo::DefineBlendbalance() {
  story_.Act(ROLE_SEEDUWA_ADMIN,
             "defines a blendbalance: what was left of an earlier blend");
  CreateBlendbalanceRequest request;
  auto& made = *request.mutable_blendbalance();
  made.set_item_code("BB-" + run_);
  made.set_blend_code(plan_.item_code());
  made.set_transfer_id("TR-" + run_);
  made.set_expected_grams(kBalanceGrams);
  CreateBlendbalanceResponse response;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_ADMIN, request, response));
  Many<Blendbalance> one;
  *one.Add() = response.blendbalance();
  story_.Reply(BlendbalancesText(one));
  blendbalance_id_ = response.blendbalance().item_id();

  BatchReceiveBagsRequest bags;
  AddReceipts(
      bags, location_, 1, kBalanceGrams, false,
      [&](BagReceipt& receipt) { receipt.set_item_id(blendbalance_id_); });
  return WeighIn(bags, "of it", balance_bags_);
}

absl::Status Demo::DefineBlendsheet(std::string& recipe_id) {
  story_.Act(ROLE_SEEDUWA_ADMIN,
             absl::StrCat("defines a blendsheet for ", plan_.item_code()));
  CreateBlendsheetRequest request;
  request.set_number("BS-" + run_);
  auto& sheet = *request.mutable_blendsheet();
  sheet.set_standard("STD-7");
  sheet.set_grade("BOPF");
  sheet.set_blend_code(plan_.item_code());
  sheet.set_total_grams(kPlannedGrams);
  sheet.set_batch_count(1);
  auto& first = *sheet.add_tealines();
  first.set_item_id(first_tealine_.item_id());
  first.set_bag_count(kFirstBagsIn);
  auto& second = *sheet.add_tealines();
  second.set_item_id(second_tealine_.item_id());
  second.set_bag_count(kSecondBagsIn);
  auto& balance = *sheet.add_blendbalances();
  balance.set_item_id(blendbalance_id_);
  balance.set_grams(kBalanceGramsIn);
  CreateBlendsheetResponse response;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_ADMIN, request, response));
  story_.Reply(BlendsheetText(response.blendsheet()));
  recipe_id = response.blendsheet().recipe_id();
  return absl::OkStatus();
}

absl::Status Demo::Blend() {
  RETURN_IF_ERROR(DefineBlendbalance());
  OpenBatchRequest request;
  RETURN_IF_ERROR(DefineBlendsheet(*request.mutable_recipe_id()));
  story_.Act(ROLE_SEEDUWA_OFFICER, "opens a batch of it");
  OpenBatchResponse response;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OFFICER, request, response));
  batch_id_ = response.batch().batch_id();
  Many<Batch> one;
  *one.Add() = response.batch();
  story_.Reply(BatchesText(one));
  RETURN_IF_ERROR(BlendIn());
  return BlendOut();
}

absl::Status Demo::BlendIn() {
  story_.Act(ROLE_SEEDUWA_OPERATOR,
             absl::StrCat("allocates ", kFirstBagsIn, " and ", kSecondBagsIn,
                          " bags of tea and ", Kilograms(kBalanceGramsIn),
                          " of the blendbalance into the batch"));
  BatchAllocateRequest request;
  for (int64_t i = 0; i < kFirstBagsIn; ++i) {
    AddDraft(request, first_bags_[i], batch_id_, first_bags_[i].net_grams());
  }
  for (int64_t i = 0; i < kSecondBagsIn; ++i) {
    AddDraft(request, second_bags_[i], batch_id_, second_bags_[i].net_grams());
  }
  AddDraft(request, balance_bags_.front(), batch_id_, kBalanceGramsIn);
  BatchAllocateResponse response;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OPERATOR, request, response));
  RETURN_IF_ERROR(FirstRefusal(response));
  Many<Allocation> made;
  for (const auto& result : response.results()) {
    *made.Add() = result.allocation();
  }
  story_.Reply(AllocationsText(made));
  return absl::OkStatus();
}

absl::Status Demo::BlendOut() {
  BatchReceiveBagsRequest request;
  AddReceipts(request, location_, kBlendBags, kBlendBagGrams, false,
              [&](BagReceipt& receipt) { receipt.set_batch_id(batch_id_); });
  RETURN_IF_ERROR(WeighIn(request, "out of the batch", blend_bags_));

  GetBatchRequest get;
  get.set_batch_id(batch_id_);
  GetBatchResponse got;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OFFICER, get, got));
  Many<Batch> one;
  *one.Add() = got.batch();
  story_.Shows(SIDE_PROCESSING, BatchesText(one));
  return absl::OkStatus();
}

absl::Status Demo::JudgeBatch() {
  story_.Act(ROLE_SEEDUWA_OFFICER,
             "measures the batch: humidity 6.85 %, density 325.5 g/l");
  RecordMeasurementRequest measure;
  measure.set_batch_id(batch_id_);
  measure.set_humidity_basis_points(685);
  measure.set_density_grams_per_cubic_metre(325'500);
  RecordMeasurementResponse measured;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OFFICER, measure, measured));
  story_.Reply(EnumText(measured.batch().trader_state()));

  story_.Act(ROLE_SEEDUWA_OFFICER, "asks the trader");
  RequestApprovalRequest ask;
  ask.set_batch_id(batch_id_);
  ask.set_remarks("sample sent this morning");
  RequestApprovalResponse asked;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OFFICER, ask, asked));
  story_.Reply(EnumText(asked.batch().trader_state()));

  story_.Act(ROLE_TRADER_OFFICER, "tastes and allows it");
  AllowBatchRequest allow;
  allow.set_batch_id(batch_id_);
  allow.set_remarks("bright, brisk, as the standard");
  AllowBatchResponse allowed;
  RETURN_IF_ERROR(As(ROLE_TRADER_OFFICER, allow, allowed));
  story_.Reply(EnumText(allowed.batch().trader_state()));
  return absl::OkStatus();
}

absl::Status Demo::FillShipment() {
  story_.Act(ROLE_SEEDUWA_OFFICER,
             absl::StrCat("says that shipment ", KeyText(shipment_),
                          " is ready to be filled"));
  MarkShipmentReadyRequest ready;
  *ready.mutable_key() = shipment_;
  MarkShipmentReadyResponse marked;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OFFICER, ready, marked));
  story_.Reply(EnumText(marked.shipment().status()));

  story_.Act(ROLE_SEEDUWA_OPERATOR, "scans the blend bags and allocates them");
  BatchScanBagsRequest scan;
  for (const Bag& bag : blend_bags_) scan.add_barcodes(bag.barcode());
  BatchScanBagsResponse scanned;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OPERATOR, scan, scanned));
  RETURN_IF_ERROR(FirstRefusal(scanned));

  BatchAllocateRequest allocate;
  int64_t missing = marked.shipment().missing_grams();
  for (const auto& result : scanned.results()) {
    const Bag& bag = result.scan().bag();
    const int64_t grams = std::min(missing, bag.remaining_grams());
    if (grams == 0) break;
    AllocationDraft& draft = *allocate.add_allocations();
    draft.set_barcode(bag.barcode());
    *draft.mutable_shipment() = shipment_;
    draft.set_grams(grams);
    missing -= grams;
  }
  BatchAllocateResponse allocated;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OPERATOR, allocate, allocated));
  RETURN_IF_ERROR(FirstRefusal(allocated));
  for (const auto& result : allocated.results()) {
    shipped_.push_back(result.allocation());
  }
  story_.Reply(
      AllocationsText(Many<Allocation>(shipped_.begin(), shipped_.end())));
  RETURN_IF_ERROR(Agree(SIDE_PROCESSING, allocated.sync_token()));
  return ShipmentAtGrandpass(common::v1::SHIPMENT_STATUS_ORDER_READY,
                             allocated.shipments(0).allocated_grams());
}

absl::Status Demo::Dispatch() {
  story_.Act(ROLE_SEEDUWA_OPERATOR,
             absl::StrCat("lets shipment ", KeyText(shipment_), " leave with ",
                          kVehicle));
  DispatchShipmentsRequest request;
  *request.add_keys() = shipment_;
  request.set_shipment_vehicle(kVehicle);
  DispatchShipmentsResponse response;
  RETURN_IF_ERROR(As(ROLE_SEEDUWA_OPERATOR, request, response));
  story_.Reply(OpenShipmentsText(response.shipments()));
  RETURN_IF_ERROR(Agree(SIDE_PROCESSING, response.sync_token()));
  return ShipmentAtGrandpass(common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED,
                             response.shipments(0).allocated_grams());
}

}  // namespace mtp::cli
