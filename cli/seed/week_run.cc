#include "cli/seed/week_run.h"

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/status.h"

namespace mtp::cli {
namespace {

using namespace options::v1;     // NOLINT: the roles
using namespace processing::v1;  // NOLINT: this file's whole subject

}  // namespace

absl::Status SeedWeekRun::Make() {
  RETURN_IF_ERROR(MakeTeas());
  RETURN_IF_ERROR(MakeHerbs());
  RETURN_IF_ERROR(MakeBalances());
  RETURN_IF_ERROR(MakeBlends());
  return MakeFlavors();
}

absl::StatusOr<bool> SeedWeekRun::IsThere() {
  ListFlavorsheetsRequest request;
  request.set_number(week_.flavors.back().request.number());
  request.set_include_retired(true);
  ListFlavorsheetsResponse response;
  RETURN_IF_ERROR(calls_.Ask(ROLE_SEEDUWA_ADMIN, request, response));
  return response.flavorsheets_size() > 0;
}

absl::Status SeedWeekRun::MakeTeas() {
  std::vector<BagReceipt> receipts;
  for (size_t i = 0; i < week_.teas.size(); ++i) {
    CreateTealineRequest request = week_.teas[i].request;
    CreateTealineResponse response;
    RETURN_IF_ERROR(calls_.Do(ROLE_SEEDUWA_ADMIN, absl::StrCat("tealine ", i),
                              request, response));
    teas_.push_back(response.tealine().item_id());
    for (BagReceipt bag : week_.teas[i].bags) {
      bag.set_item_id(teas_.back());
      receipts.push_back(std::move(bag));
    }
  }
  return calls_.WeighIn("tea", std::move(receipts));
}

absl::Status SeedWeekRun::MakeHerbs() {
  std::vector<BagReceipt> receipts;
  for (size_t i = 0; i < week_.herbs.size(); ++i) {
    CreateHerblineRequest request = week_.herbs[i].request;
    CreateHerblineResponse response;
    RETURN_IF_ERROR(calls_.Do(ROLE_SEEDUWA_ADMIN, absl::StrCat("herbline ", i),
                              request, response));
    herbs_.push_back(response.herbline().item_id());
    for (BagReceipt bag : week_.herbs[i].bags) {
      bag.set_item_id(herbs_.back());
      receipts.push_back(std::move(bag));
    }
  }
  return calls_.WeighIn("herb", std::move(receipts));
}

absl::Status SeedWeekRun::MakeBalances() {
  std::vector<BagReceipt> receipts;
  for (size_t i = 0; i < week_.balances.size(); ++i) {
    CreateBlendbalanceRequest request = week_.balances[i].request;
    CreateBlendbalanceResponse response;
    RETURN_IF_ERROR(calls_.Do(ROLE_SEEDUWA_ADMIN,
                              absl::StrCat("blendbalance ", i), request,
                              response));
    balances_.push_back(response.blendbalance().item_id());
    for (BagReceipt bag : week_.balances[i].bags) {
      bag.set_item_id(balances_.back());
      receipts.push_back(std::move(bag));
    }
  }
  return calls_.WeighIn("blendbalance", std::move(receipts));
}

absl::Status SeedWeekRun::OpenBatch(const std::string& what,
                                    const std::string& recipe,
                                    const SeedBatch& batch, std::string& id) {
  OpenBatchRequest request;
  request.set_recipe_id(recipe);
  *request.mutable_occurred_at() = ToProto(batch.opened_at);
  OpenBatchResponse response;
  RETURN_IF_ERROR(
      calls_.Do(ROLE_SEEDUWA_OFFICER, what + " opened", request, response));
  id = response.batch().batch_id();
  return absl::OkStatus();
}

absl::Status SeedWeekRun::FillBatch(const std::string& what,
                                    const std::string& id,
                                    const SeedBatch& batch) {
  std::vector<AllocationDraft> drafts = batch.in;
  for (AllocationDraft& draft : drafts) draft.set_batch_id(id);
  RETURN_IF_ERROR(calls_.Allocate(what, drafts));
  std::vector<BagReceipt> receipts = batch.out;
  for (BagReceipt& receipt : receipts) receipt.set_batch_id(id);
  RETURN_IF_ERROR(calls_.WeighIn(what, std::move(receipts)));
  if (!batch.completed_at.has_value()) return absl::OkStatus();
  CompleteBatchRequest complete;
  complete.set_batch_id(id);
  *complete.mutable_occurred_at() = ToProto(*batch.completed_at);
  CompleteBatchResponse completed;
  return calls_.Do(ROLE_SEEDUWA_OFFICER, what + " completed", complete,
                   completed);
}

absl::Status SeedWeekRun::Judge(const std::string& what, const std::string& id,
                                const SeedBatch& batch) {
  if (batch.approval == Approval::kNone) return absl::OkStatus();
  RecordMeasurementRequest measured = batch.measurement;
  measured.set_batch_id(id);
  RecordMeasurementResponse response;
  RETURN_IF_ERROR(
      calls_.Do(ROLE_SEEDUWA_OFFICER, what + " measured", measured, response));
  if (batch.approval == Approval::kPending) return absl::OkStatus();
  const absl::Time asked =
      FromProto(batch.measurement.occurred_at()) + absl::Minutes(10);
  RequestApprovalRequest request;
  request.set_batch_id(id);
  *request.mutable_occurred_at() = ToProto(asked);
  RequestApprovalResponse requested;
  RETURN_IF_ERROR(
      calls_.Do(ROLE_SEEDUWA_OFFICER, what + " asked for", request, requested));
  if (batch.approval == Approval::kRequested) return absl::OkStatus();
  return Speak(what, id, batch, asked + absl::Hours(2));
}

absl::Status SeedWeekRun::Speak(const std::string& what, const std::string& id,
                                const SeedBatch& batch, absl::Time at) {
  const Approval word = batch.approval;
  const bool elevated = word == Approval::kElevated ||
                        word == Approval::kAllowedAbove ||
                        word == Approval::kBlockedAbove;
  if (elevated) {
    ElevateBatchRequest elevate;
    elevate.set_batch_id(id);
    elevate.set_remarks(batch.trader_remarks);
    *elevate.mutable_occurred_at() = ToProto(at);
    ElevateBatchResponse response;
    RETURN_IF_ERROR(
        calls_.Do(ROLE_TRADER_OFFICER, what + " elevated", elevate, response));
    if (word == Approval::kElevated) return absl::OkStatus();
    at += absl::Hours(1);
  }
  const Role role = elevated ? ROLE_TRADER_SUPERVISOR : ROLE_TRADER_OFFICER;
  if (batch.Allowed()) {
    AllowBatchRequest allow;
    allow.set_batch_id(id);
    *allow.mutable_occurred_at() = ToProto(at);
    AllowBatchResponse response;
    return calls_.Do(role, what + " allowed", allow, response);
  }
  BlockBatchRequest block;
  block.set_batch_id(id);
  block.set_remarks(batch.trader_remarks);
  *block.mutable_occurred_at() = ToProto(at);
  BlockBatchResponse response;
  return calls_.Do(role, what + " blocked", block, response);
}

absl::Status SeedWeekRun::MakeBlends() {
  for (size_t i = 0; i < week_.blends.size(); ++i) {
    const SeedBlend& blend = week_.blends[i];
    CreateBlendsheetRequest request = blend.request;
    for (const SeedPart& part : blend.tealines) {
      auto& mixture = *request.mutable_blendsheet()->add_tealines();
      mixture.set_item_id(teas_[part.which]);
      mixture.set_bag_count(part.amount);
    }
    for (const SeedPart& part : blend.blendbalances) {
      auto& mixture = *request.mutable_blendsheet()->add_blendbalances();
      mixture.set_item_id(balances_[part.which]);
      mixture.set_grams(part.amount);
    }
    CreateBlendsheetResponse response;
    RETURN_IF_ERROR(calls_.Do(
        ROLE_SEEDUWA_ADMIN, absl::StrCat("blendsheet ", i), request, response));
    blends_.push_back(response.blendsheet().recipe_id());
    for (size_t b = 0; b < blend.batches.size(); ++b) {
      const std::string what = absl::StrCat("blendsheet ", i, " batch ", b);
      std::string id;
      RETURN_IF_ERROR(OpenBatch(what, blends_.back(), blend.batches[b], id));
      RETURN_IF_ERROR(FillBatch(what, id, blend.batches[b]));
      RETURN_IF_ERROR(Judge(what, id, blend.batches[b]));
    }
  }
  return absl::OkStatus();
}

absl::Status SeedWeekRun::MakeFlavors() {
  for (size_t i = 0; i + 1 < week_.flavors.size(); ++i) {
    RETURN_IF_ERROR(MakeFlavor(i));
  }
  return absl::OkStatus();
}

absl::Status SeedWeekRun::MakeFlavor(size_t index) {
  const SeedFlavor& flavor = week_.flavors[index];
  CreateFlavorsheetRequest request = flavor.request;
  for (const SeedPart& part : flavor.blends) {
    auto& mixture = *request.mutable_flavorsheet()->add_mixtures();
    mixture.set_blendsheet_recipe_id(blends_[part.which]);
    mixture.set_grams(part.amount);
  }
  for (const SeedPart& part : flavor.herblines) {
    auto& mixture = *request.mutable_flavorsheet()->add_mixtures();
    mixture.set_herbline_item_id(herbs_[part.which]);
    mixture.set_grams(part.amount);
  }
  CreateFlavorsheetResponse response;
  const std::string what = absl::StrCat("flavorsheet ", index);
  RETURN_IF_ERROR(calls_.Do(ROLE_SEEDUWA_ADMIN, what, request, response));
  if (!flavor.batch.has_value()) return absl::OkStatus();
  std::string id;
  RETURN_IF_ERROR(
      OpenBatch(what, response.flavorsheet().recipe_id(), *flavor.batch, id));
  return FillBatch(what, id, *flavor.batch);
}

}  // namespace mtp::cli
