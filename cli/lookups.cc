#include "cli/lookups.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/failures.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/recipes.pb.h"

namespace mtp::cli {
namespace {

using processing::v1::MATERIAL_KIND_BLENDSHEET;
using processing::v1::MATERIAL_KIND_FLAVORSHEET;
using processing::v1::MATERIAL_KIND_UNSPECIFIED;
constexpr absl::StatusCode kNotFound = absl::StatusCode::kNotFound;

bool IsId(const std::string& name) { return Uuid::Parse(name).has_value(); }

// The only item of a list that was asked for by code.
template <typename Items>
absl::StatusOr<std::string> OnlyItem(const Items& items, const char* kind,
                                     const std::string& code) {
  if (items.empty()) return errors::NotFound(kind, code);
  if (items.size() == 1) return items.Get(0).item_id();
  std::string ids;
  for (const auto& item : items) absl::StrAppend(&ids, " ", item.item_id());
  return absl::FailedPreconditionError(absl::StrCat(
      "several lots are called ", code, "; say which by its id:", ids));
}

// A sheet as people name it; UNSPECIFIED: of either kind.
struct Sheet {
  processing::v1::MaterialKind kind = MATERIAL_KIND_UNSPECIFIED;
  std::string number;
};
Sheet SheetOf(const std::string& name) {
  if (absl::StartsWith(name, "blendsheet:")) {
    return {MATERIAL_KIND_BLENDSHEET, name.substr(name.find(':') + 1)};
  }
  if (absl::StartsWith(name, "flavorsheet:")) {
    return {MATERIAL_KIND_FLAVORSHEET, name.substr(name.find(':') + 1)};
  }
  return {MATERIAL_KIND_UNSPECIFIED, name};
}

absl::Status BothKinds(const std::string& name) {
  return UsageError(absl::StrCat("there is a blendsheet and a flavorsheet ",
                                 name, ": write blendsheet:", name,
                                 " or flavorsheet:", name));
}

// Enough to list in a message.
constexpr int kLotsTold = 10;

}  // namespace

absl::StatusOr<std::string> TealineId(Session& session,
                                      const std::string& name) {
  if (IsId(name)) return name;
  processing::v1::ListTealinesRequest request;
  request.set_item_code(name);
  processing::v1::ListTealinesResponse response;
  RETURN_IF_ERROR(session.List(request, kLotsTold, response));
  return OnlyItem(response.tealines(), "tealine", name);
}

absl::StatusOr<std::string> HerblineId(Session& session,
                                       const std::string& name) {
  if (IsId(name)) return name;
  processing::v1::ListHerblinesRequest request;
  request.set_item_code(name);
  processing::v1::ListHerblinesResponse response;
  RETURN_IF_ERROR(session.List(request, kLotsTold, response));
  return OnlyItem(response.herblines(), "herbline", name);
}

absl::StatusOr<std::string> BlendbalanceId(Session& session,
                                           const std::string& name) {
  if (IsId(name)) return name;
  processing::v1::ListBlendbalancesRequest request;
  request.set_item_code(name);
  processing::v1::ListBlendbalancesResponse response;
  RETURN_IF_ERROR(session.List(request, kLotsTold, response));
  return OnlyItem(response.blendbalances(), "blendbalance", name);
}

absl::StatusOr<std::string> BlendsheetId(Session& session,
                                         const std::string& name) {
  if (IsId(name)) return name;
  processing::v1::ListBlendsheetsRequest request;
  request.set_number(name);
  request.set_include_retired(true);
  processing::v1::ListBlendsheetsResponse response;
  RETURN_IF_ERROR(session.List(request, 1, response));
  if (response.blendsheets().empty()) {
    return errors::NotFound("blendsheet", name);
  }
  return response.blendsheets(0).recipe_id();
}

absl::StatusOr<std::string> FlavorsheetId(Session& session,
                                          const std::string& name) {
  if (IsId(name)) return name;
  processing::v1::ListFlavorsheetsRequest request;
  request.set_number(name);
  request.set_include_retired(true);
  processing::v1::ListFlavorsheetsResponse response;
  RETURN_IF_ERROR(session.List(request, 1, response));
  if (response.flavorsheets().empty()) {
    return errors::NotFound("flavorsheet", name);
  }
  return response.flavorsheets(0).recipe_id();
}

absl::StatusOr<std::string> RecipeId(Session& session,
                                     const std::string& name) {
  const Sheet sheet = SheetOf(name);
  if (sheet.kind == MATERIAL_KIND_BLENDSHEET) {
    return BlendsheetId(session, sheet.number);
  }
  if (sheet.kind == MATERIAL_KIND_FLAVORSHEET) {
    return FlavorsheetId(session, sheet.number);
  }
  const auto blendsheet = BlendsheetId(session, name);
  if (IsId(name)) return blendsheet;
  if (!blendsheet.ok() && blendsheet.status().code() != kNotFound) {
    return blendsheet;
  }
  const auto flavorsheet = FlavorsheetId(session, name);
  if (!blendsheet.ok() && !flavorsheet.ok() &&
      flavorsheet.status().code() == kNotFound) {
    return errors::NotFound("recipe", name);
  }
  if (blendsheet.ok() && flavorsheet.ok()) return BothKinds(name);
  return blendsheet.ok() ? blendsheet : flavorsheet;
}

absl::StatusOr<std::string> BatchId(Session& session, const std::string& name) {
  if (IsId(name)) return name;
  const size_t slash = name.rfind('/');
  int64_t number = 0;
  if (slash == std::string::npos ||
      !absl::SimpleAtoi(name.substr(slash + 1), &number)) {
    return UsageError(absl::StrCat(
        "`", name, "` is no batch: write BS-1/2 for batch 2 of sheet BS-1"));
  }
  // A revision allows 1,000 batches; a sheet has few revisions.
  constexpr int64_t kMostBatches = 100'000;
  const Sheet sheet = SheetOf(name.substr(0, slash));
  processing::v1::ListBatchesRequest request;
  request.set_recipe_number(sheet.number);
  request.set_kind(sheet.kind);
  processing::v1::ListBatchesResponse response;
  RETURN_IF_ERROR(session.List(request, kMostBatches, response));
  std::string found;
  for (const auto& batch : response.batches()) {
    if (batch.batch_number() != number) continue;
    if (!found.empty()) return BothKinds(name);
    found = batch.batch_id();
  }
  if (found.empty()) return errors::NotFound("batch", name);
  return found;
}

absl::StatusOr<std::string> LocationId(Session& session,
                                       const std::string& name) {
  if (IsId(name)) return name;
  processing::v1::GetLocationRequest request;
  request.set_name(name);
  processing::v1::GetLocationResponse response;
  RETURN_IF_ERROR(session.Call(request, response));
  return response.location().location_id();
}

}  // namespace mtp::cli
