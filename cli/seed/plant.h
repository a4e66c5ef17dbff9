#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/recipes.pb.h"

// A plant that can be made anew, always the same: what came, what was blended
// and flavored, what the trader said, what left, week by week. No I/O: these
// are the requests to make, without the ids that only the service knows.
namespace mtp::cli {

// The same seed makes the same plant; a larger scale adds weeks' work to a
// smaller one and changes nothing of it.
struct PlantSettings {
  int64_t seed = 1;
  double scale = 1;
  // The year of history ends as this day begins.
  absl::CivilDay until;
};

// A lot with its bags; each receipt lacks the item's id.
struct TeaLot {
  processing::v1::CreateTealineRequest request;
  std::vector<processing::v1::BagReceipt> bags;
};
struct HerbLot {
  processing::v1::CreateHerblineRequest request;
  std::vector<processing::v1::BagReceipt> bags;
};
struct BalanceLot {
  processing::v1::CreateBlendbalanceRequest request;
  std::vector<processing::v1::BagReceipt> bags;
};

// How far the trader's word went.
enum class Approval {
  kNone,
  kPending,
  kRequested,
  kAllowed,
  kBlocked,
  kElevated,
  kAllowedAbove,
  kBlockedAbove,
};

struct SeedBatch {
  absl::Time opened_at;
  // Lack the batch's id.
  std::vector<processing::v1::AllocationDraft> in;
  std::vector<processing::v1::BagReceipt> out;
  Approval approval = Approval::kNone;
  // Lacks the batch's id; only with an approval.
  processing::v1::RecordMeasurementRequest measurement;
  std::string trader_remarks;
  std::optional<absl::Time> completed_at;
  bool Allowed() const {
    return approval == Approval::kAllowed ||
           approval == Approval::kAllowedAbove;
  }
};

// A part of a recipe: which lot or sheet of the week, by its place there.
struct SeedPart {
  size_t which = 0;
  // Bags of a tealine, grams of anything else.
  int64_t amount = 0;
};

struct SeedBlend {
  // Lacks the mixtures.
  processing::v1::CreateBlendsheetRequest request;
  std::vector<SeedPart> tealines, blendbalances;
  std::vector<SeedBatch> batches;
};

struct SeedFlavor {
  // Lacks the mixtures.
  processing::v1::CreateFlavorsheetRequest request;
  std::vector<SeedPart> blends, herblines;
  // The last sheet of a week has none: it is made when all else is done.
  std::optional<SeedBatch> batch;
};

// How far an order went.
enum class Fulfilment { kAsked, kFilled, kDispatched, kAccepted, kScheduled };

struct SeedOrder {
  std::vector<order::v1::PlanRow> rows;
  order::v1::CreateRequestRequest request;
  // Lack the shipment.
  std::vector<processing::v1::AllocationDraft> bags;
  Fulfilment fulfilment = Fulfilment::kAsked;
  std::string vehicle;
  absl::Time ready_at, dispatched_at, accepted_at;
};

// All that happened in a week, independent of every other week's work.
struct SeedWeek {
  // From 0, over all scales.
  int64_t number = 0;
  std::vector<TeaLot> teas;
  std::vector<HerbLot> herbs;
  std::vector<BalanceLot> balances;
  std::vector<SeedBlend> blends;
  std::vector<SeedFlavor> flavors;
  std::vector<SeedOrder> orders;
};

// What a plant, or a week of it, amounts to.
struct PlantCounts {
  int64_t tealines = 0, herblines = 0, blendbalances = 0;
  int64_t blendsheets = 0, flavorsheets = 0, batches = 0;
  int64_t bags = 0, allocations = 0, orders = 0;
  int64_t gross_grams = 0;
  void Add(const PlantCounts& other);
};
PlantCounts CountsOf(const SeedWeek& week, bool with_orders = true);

// At scale 1 the work of 52 weeks.
int64_t WeekCount(double scale);
SeedWeek MakeWeek(const PlantSettings& settings, int64_t number);

}  // namespace mtp::cli
