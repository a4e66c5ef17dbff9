// A week's work: blends, the trader's word, flavors, and what Grandpass orders.
#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/seed/catalog.h"
#include "cli/seed/week_maker.h"
#include "common/base/protos.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

// What a year of this plant sees, at scale 1.
constexpr int64_t kBlendsheets = 818;
constexpr int64_t kFlavorsheets = 1401;
constexpr int64_t kOrders = 208;

// The part of the tea that is blended; the rest lies in the stores.
constexpr int64_t kBlendedPercent = 85;
constexpr int64_t kBlendBagGrams = 40'000;
constexpr int64_t kFlavorBagGrams = 25'000;

}  // namespace

void WeekMaker::MakeBlends() {
  int64_t bags = 0;
  for (const auto& lot : tea_) bags += static_cast<int64_t>(lot.size());
  const int64_t count = ShareOf(kBlendsheets, week_.number);
  for (int64_t i = 0; i < count; ++i) {
    MakeBlend(i, bags * kBlendedPercent / 100 / std::max<int64_t>(count, 1));
  }
}

void WeekMaker::MakeBlend(int64_t index, int64_t bags) {
  // Five blends a week, so that an order finds several batches of its blend.
  const auto kinds = BlendKinds();
  const BlendKind& kind =
      kinds[static_cast<size_t>(week_.number * 5 + index % 5) % kinds.size()];
  const int64_t day = 1 + index % 4;
  SeedBlend& blend = week_.blends.emplace_back();
  blend.request.set_number(
      absl::StrFormat("BS%d-%04d%02d", seed_, week_.number, index + 1));
  BlendsheetContent& sheet = *blend.request.mutable_blendsheet();
  sheet.set_blend_code(std::string(kind.code));
  sheet.set_standard(std::string(kind.standard));
  sheet.set_grade(std::string(kind.grade));
  if (Chance(30)) sheet.set_remarks("Taste against the standard first");
  *blend.request.mutable_occurred_at() = ToProto(At(day, 0, 30));

  const int64_t batches = Chance(25) ? 2 : 1;
  sheet.set_batch_count(batches);
  blend.batches.resize(static_cast<size_t>(batches));
  const absl::Time begun = At(day, 40, 120);
  for (size_t i = 0; i < blend.batches.size(); ++i) {
    blend.batches[i].opened_at = begun + absl::Hours(3 * i);
  }

  // Lots of which most is left, three to five of them.
  std::vector<size_t> lots(tea_.size());
  std::iota(lots.begin(), lots.end(), 0);
  const auto whole = [this](size_t lot) {
    return std::count_if(tea_[lot].begin(), tea_[lot].end(),
                         [](const Stock& bag) { return bag.left > 0; });
  };
  std::stable_sort(lots.begin(), lots.end(),
                   [&](size_t a, size_t b) { return whole(a) > whole(b); });
  lots.resize(std::min<size_t>(lots.size(), Between(3, 5)));
  int64_t total = 0;
  for (size_t i = 0; i < lots.size(); ++i) {
    const int64_t share = std::min<int64_t>(
        whole(lots[i]),
        (bags - static_cast<int64_t>(i)) / static_cast<int64_t>(lots.size()) +
            1);
    if (share == 0) continue;
    blend.tealines.push_back({lots[i], share});
    total += share * week_.teas[lots[i]].request.tealine().bag_grams();
    std::vector<Stock>& stock = tea_[lots[i]];
    int64_t number = 0;
    for (Stock& bag : stock) {
      if (bag.left == 0 || number == share) continue;
      SeedBatch& batch =
          blend.batches[static_cast<size_t>(number) % blend.batches.size()];
      // Of the last bag often a half is enough.
      const bool half = ++number == share && Chance(40);
      std::vector<Stock> one = {bag};
      const int64_t grams = half ? bag.left / 2 : bag.left;
      Take(one, grams, batch.opened_at + absl::Minutes(5), batch.in);
      bag.left = half ? one[0].left : 0;
    }
  }
  if (!balance_.empty() && Chance(40)) {
    const size_t which = static_cast<size_t>(
        Between(0, static_cast<int64_t>(balance_.size()) - 1));
    const int64_t left = std::accumulate(
        balance_[which].begin(), balance_[which].end(), int64_t{0},
        [](int64_t sum, const Stock& bag) { return sum + bag.left; });
    const int64_t grams = std::min<int64_t>(left, Between(5, 20) * 1'000);
    if (grams > 0) {
      blend.blendbalances.push_back({which, grams});
      total += grams;
      Take(balance_[which], grams,
           blend.batches[0].opened_at + absl::Minutes(30), blend.batches[0].in);
    }
  }
  sheet.set_total_grams(total);
  for (SeedBatch& batch : blend.batches) Judge(batch, day);
  for (SeedBatch& batch : blend.batches) {
    if (!batch.Allowed()) continue;
    Blended& made = blended_.emplace_back();
    made.blend = week_.blends.size() - 1;
    for (const BagReceipt& bag : batch.out) {
      made.bags.push_back(
          {bag.barcode(), bag.gross_grams() - bag.tare_grams()});
    }
  }
}

Approval WeekMaker::Verdict() {
  const int64_t dice = Between(1, 100);
  if (IsOpen()) {
    if (dice <= 10) return Approval::kNone;
    if (dice <= 25) return Approval::kPending;
    if (dice <= 45) return Approval::kRequested;
    if (dice <= 55) return Approval::kElevated;
    return Approval::kAllowed;
  }
  if (dice <= 90) return Approval::kAllowed;
  if (dice <= 94) return Approval::kBlocked;
  return dice <= 98 ? Approval::kAllowedAbove : Approval::kBlockedAbove;
}

// Weighs a blend batch out, measures it, and lets the trader speak.
void WeekMaker::Judge(SeedBatch& batch, int64_t day) {
  int64_t in = 0;
  for (const AllocationDraft& draft : batch.in) in += draft.grams();
  // Dust and moisture: a few thousandths are lost.
  const int64_t out = OnScale(in - in * Between(3, 14) / 1000);
  const absl::Time blended = batch.opened_at + absl::Minutes(75);
  batch.approval = Verdict();
  batch.out =
      WeighOut(batch.approval == Approval::kNone ? OnScale(out / 2) : out,
               kBlendBagGrams, Any(BlendStores()), blended);
  if (batch.approval == Approval::kNone) return;
  RecordMeasurementRequest& measured = batch.measurement;
  measured.set_humidity_basis_points(Between(480, 760));
  measured.set_density_grams_per_cubic_metre(Between(2'900, 3'700) * 100);
  *measured.mutable_occurred_at() = ToProto(At(day + 1, 0, 60));
  switch (batch.approval) {
    case Approval::kBlocked:
    case Approval::kBlockedAbove:
      batch.trader_remarks = "Liquor is flat, the leaf is stalky";
      break;
    case Approval::kElevated:
    case Approval::kAllowedAbove:
      batch.trader_remarks = "Below the standard in colour; your word, please";
      break;
    default:
      break;
  }
  if (batch.approval != Approval::kPending) {
    batch.completed_at = blended + absl::Hours(2);
  }
}

void WeekMaker::MakeFlavors() {
  const int64_t count = ShareOf(kFlavorsheets, week_.number);
  for (int64_t i = 0; i < count; ++i) MakeFlavor(i, i + 1 < count);
}

void WeekMaker::MakeFlavor(int64_t index, bool with_batch) {
  const FlavorKind& kind = Any(FlavorKinds());
  SeedFlavor& flavor = week_.flavors.emplace_back();
  flavor.request.set_number(
      absl::StrFormat("FS%d-%04d%02d", seed_, week_.number, index + 1));
  FlavorsheetContent& sheet = *flavor.request.mutable_flavorsheet();
  sheet.set_flavor_code(std::string(kind.code));
  sheet.set_remarks(std::string(kind.remarks));
  const absl::Time made = At(5, 0, 60);
  *flavor.request.mutable_occurred_at() = ToProto(made);

  SeedBatch batch;
  batch.opened_at = At(5, 70, 300);
  const absl::Time mixed = batch.opened_at + absl::Minutes(5);
  const int64_t grams = Between(60, 110) * 1'000;
  if (!blended_.empty()) {
    Blended& from = blended_[static_cast<size_t>(index) % blended_.size()];
    flavor.blends.push_back({from.blend, grams});
    if (with_batch) {
      // From the back; orders take from the front.
      std::reverse(from.bags.begin(), from.bags.end());
      Take(from.bags, grams, mixed, batch.in);
      std::reverse(from.bags.begin(), from.bags.end());
    }
  }
  const int64_t herbs =
      std::min<int64_t>(Between(1, 2), static_cast<int64_t>(herb_.size()));
  for (int64_t i = 0; i < herbs; ++i) {
    const size_t which = static_cast<size_t>(index + i) % herb_.size();
    const int64_t part = Between(15, 60) * 100;
    flavor.herblines.push_back({which, part});
    if (with_batch) Take(herb_[which], part, mixed, batch.in);
  }
  if (!with_batch) return;
  int64_t in = 0;
  for (const AllocationDraft& draft : batch.in) in += draft.grams();
  if (!IsOpen() || Chance(60)) {
    batch.out =
        WeighOut(OnScale(in - in * Between(4, 12) / 1000), kFlavorBagGrams,
                 Any(BlendStores()), batch.opened_at + absl::Minutes(60));
    batch.completed_at = batch.opened_at + absl::Minutes(150);
  }
  flavor.batch = std::move(batch);
}

void WeekMaker::MakeOrders() {
  const int64_t count = ShareOf(kOrders, week_.number);
  for (int64_t i = 0; i < count; ++i) MakeOrder(i);
}

void WeekMaker::MakeOrder(int64_t index) {
  const auto kinds = BlendKinds();
  const BlendKind& kind =
      kinds[static_cast<size_t>(week_.number * 5 + index % 5) % kinds.size()];
  SeedOrder order;
  const absl::Time asked = At(1, 60, 400);
  // All that is left of the blend but a fifth, over all its batches.
  int64_t grams = 0;
  constexpr size_t kMostShipped = 60;
  for (Blended& made : blended_) {
    if (week_.blends[made.blend].request.blendsheet().blend_code() !=
        kind.code) {
      continue;
    }
    const size_t some = made.bags.size() * 4 / 5;
    for (size_t i = 0; i < some && order.bags.size() < kMostShipped; ++i) {
      if (made.bags[i].left == 0) continue;
      grams += made.bags[i].left;
      std::vector<Stock> one = {made.bags[i]};
      Take(one, made.bags[i].left, At(5, 480, 500), order.bags);
      made.bags[i].left = 0;
    }
  }
  // Nothing of this blend was allowed yet: the order waits.
  if (grams == 0) grams = Between(10, 40) * 50'000;

  const std::string code =
      absl::StrFormat("SO%d%04d%02d", seed_, week_.number, index + 1);
  const absl::CivilDay start = absl::ToCivilDay(asked, absl::UTCTimeZone()) + 7;
  for (int64_t row = 0; row < 3; ++row) {
    order::v1::PlanRow& plan = order.rows.emplace_back();
    plan.set_line_number(2 + row);
    plan.set_lot_code(
        absl::StrFormat("L%d%04d%02d", seed_, week_.number, 10 * index + row));
    plan.set_order_code(code);
    plan.set_item_code(row == 0 ? std::string(kind.code)
                                : absl::StrFormat("%s-%02d", kind.code, row));
    plan.set_requirement(
        absl::StrFormat("%d.%03d", grams / 1000, grams % 1000));
    plan.set_location(row == 0 ? "GP1" : "GP2");
    plan.set_product_name(std::string(kind.product));
    plan.set_item_name(row == 0   ? std::string(kind.product)
                       : row == 1 ? "Envelope"
                                  : "Carton");
    plan.set_plan_start(absl::FormatCivilTime(start));
    plan.set_plan_end(absl::FormatCivilTime(start + 10));
  }
  auto& request = *order.request.mutable_request();
  request.set_order_code(code);
  request.set_requirement_grams(grams);
  request.set_comments(
      absl::StrCat("for the week of ", absl::FormatCivilTime(start)));
  *request.mutable_occurred_at() = ToProto(asked);

  order.vehicle = std::string(Any(Vehicles()));
  order.ready_at = At(5, 520, 540);
  order.dispatched_at = At(5, 550, 600);
  order.accepted_at = At(6, 60, 200);
  if (order.bags.empty()) {
    order.fulfilment = Fulfilment::kAsked;
  } else if (age_ == 0) {
    order.fulfilment =
        index % 2 == 0 ? Fulfilment::kFilled : Fulfilment::kDispatched;
  } else {
    order.fulfilment =
        index == 0 ? Fulfilment::kScheduled : Fulfilment::kAccepted;
  }
  week_.orders.push_back(std::move(order));
}

}  // namespace mtp::cli
