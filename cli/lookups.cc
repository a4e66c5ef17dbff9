#include "cli/lookups.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/failures.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/recipes.pb.h"

namespace mtp::cli {
namespace {

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
  processing::v1::ListBatchesRequest request;
  request.set_recipe_number(name.substr(0, slash));
  processing::v1::ListBatchesResponse response;
  RETURN_IF_ERROR(session.List(request, kMostBatches, response));
  for (const auto& batch : response.batches()) {
    if (batch.batch_number() == number) return batch.batch_id();
  }
  return errors::NotFound("batch", name);
}

}  // namespace mtp::cli
