// A week's deliveries: what comes onto the site, and how things are weighed.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/digest.h"
#include "cli/seed/catalog.h"
#include "cli/seed/week_maker.h"
#include "common/base/protos.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

// What a year of this plant sees, at scale 1.
constexpr int64_t kTealines = 541;
constexpr int64_t kHerblines = 245;
constexpr int64_t kBlendbalances = 104;

// Prime to 52: the first week made is the latest, and the next are far apart,
// so that a small plant is a thin year and not a month.
constexpr int64_t kWeekStride = 23;
constexpr int64_t kLatestWeek = kSeedWeeks - 1;
constexpr int64_t kOpenWeeks = 2;

// A lot's bags: about forty.
constexpr int64_t kFewestBags = 32;
constexpr int64_t kMostBags = 48;
// Sri Lanka is ahead of UTC by so much; the gates open at seven.
const absl::Duration kDayBegins = absl::Hours(7) - absl::Minutes(330);

}  // namespace

WeekMaker::WeekMaker(const PlantSettings& settings, int64_t number)
    : seed_(settings.seed), week_{.number = number} {
  const Uuid start = UuidOfName(
      absl::StrCat("mtpctl seed ", seed_, " week ", number, " random"));
  uint64_t state = 0;
  for (int i = 0; i < 6; ++i) state = state << 8 | start.bytes[i];
  random_.seed(state);
  const int64_t of_year = (kLatestWeek + number * kWeekStride) % kSeedWeeks;
  age_ = kLatestWeek - of_year;
  monday_ = absl::FromCivil(settings.until - 7 * (kSeedWeeks - of_year),
                            absl::UTCTimeZone());
}

SeedWeek WeekMaker::Make() {
  MakeTeas();
  MakeHerbs();
  MakeBalances();
  MakeBlends();
  MakeFlavors();
  MakeOrders();
  return std::move(week_);
}

bool WeekMaker::IsOpen() const { return age_ < kOpenWeeks; }

absl::Time WeekMaker::At(int64_t day, int64_t from_minute, int64_t to_minute) {
  return monday_ + absl::Hours(24 * day) + kDayBegins +
         absl::Minutes(Between(from_minute, to_minute)) +
         absl::Seconds(Between(0, 59));
}

BagReceipt WeekMaker::WeighIn(int64_t net, int64_t tare,
                              std::string_view location, absl::Time at) {
  BagReceipt receipt;
  // In the order of time, as the service's own barcodes are: neighbours in the
  // index.
  Uuid barcode = Uuid::V7(at);
  const uint64_t low = random_();
  const uint64_t high = random_();
  for (size_t i = 0; i < 8; ++i) {
    barcode.bytes[8 + i] = static_cast<uint8_t>(low >> (8 * i));
  }
  barcode.bytes[6] = static_cast<uint8_t>(0x70 | (high & 0x0F));
  barcode.bytes[7] = static_cast<uint8_t>(high >> 8);
  barcode.bytes[8] = static_cast<uint8_t>(0x80 | (barcode.bytes[8] & 0x3F));
  receipt.set_barcode(barcode.ToString());
  receipt.set_location(std::string(location));
  receipt.set_tare_grams(tare);
  receipt.set_gross_grams(net + tare);
  *receipt.mutable_occurred_at() = ToProto(at);
  return receipt;
}

std::vector<BagReceipt> WeekMaker::WeighOut(int64_t total, int64_t each,
                                            std::string_view location,
                                            absl::Time at) {
  std::vector<BagReceipt> bags;
  constexpr int64_t kSmallestRest = 2'000;
  while (total > 0) {
    int64_t net = each + Between(-10, 10) * kScaleStepGrams;
    if (total - net < kSmallestRest) net = total;
    bags.push_back(
        WeighIn(net, 120 + Between(0, 4) * kScaleStepGrams, location, at));
    total -= net;
    at += absl::Seconds(Between(40, 90));
  }
  return bags;
}

void WeekMaker::Take(std::vector<Stock>& from, int64_t grams, absl::Time at,
                     std::vector<AllocationDraft>& drafts) {
  for (Stock& bag : from) {
    if (grams == 0) return;
    const int64_t part = std::min(bag.left, grams);
    if (part == 0) continue;
    AllocationDraft& draft = drafts.emplace_back();
    draft.set_barcode(bag.barcode);
    draft.set_grams(part);
    *draft.mutable_occurred_at() =
        ToProto(at + absl::Seconds(20 * static_cast<int64_t>(drafts.size())));
    bag.left -= part;
    grams -= part;
  }
}

void WeekMaker::MakeTeas() {
  const int64_t count = ShareOf(kTealines, week_.number);
  for (int64_t i = 0; i < count; ++i) {
    const TeaGarden& garden = Any(TeaGardens());
    const TeaGrade& grade = Any(TeaGrades());
    const int64_t bags = Between(kFewestBags, kMostBags);
    // A supplier's sack holds what was agreed, more or less.
    const int64_t each = grade.bag_grams + Between(-4, 4) * 500;
    TeaLot& lot = week_.teas.emplace_back();
    NewTealine& tealine = *lot.request.mutable_tealine();
    tealine.set_item_code(
        absl::StrFormat("TL%d-%04d%02d", seed_, week_.number, i + 1));
    tealine.set_invoice(
        absl::StrFormat("%s/%04d", garden.mark, Between(100, 4999)));
    tealine.set_grade(std::string(grade.name));
    tealine.set_garden(std::string(garden.name));
    tealine.set_broker(std::string(Any(TeaBrokers())));
    tealine.set_purchase_order(
        absl::StrFormat("PO%d-%04d", seed_, week_.number));
    tealine.set_bag_count(bags);
    tealine.set_bag_grams(each);
    *lot.request.mutable_occurred_at() = ToProto(At(0, 0, 60));

    // The lorry with the rest is still on its way.
    int64_t received = bags;
    if (IsOpen()) {
      received = bags * Between(30, 100) / 100;
    } else if (Chance(4)) {
      received = bags - Between(1, 5);
    }
    const std::string_view store = Any(TeaStores());
    absl::Time at = At(0, 70, 520);
    std::vector<Stock>& stock = tea_.emplace_back();
    for (int64_t bag = 0; bag < received; ++bag) {
      const int64_t net = each + Between(-8, 8) * kScaleStepGrams;
      lot.bags.push_back(
          WeighIn(net, 360 + Between(0, 5) * kScaleStepGrams, store, at));
      stock.push_back({lot.bags.back().barcode(), net});
      at += absl::Seconds(Between(25, 60));
    }
  }
}

void WeekMaker::MakeHerbs() {
  const int64_t count = ShareOf(kHerblines, week_.number);
  for (int64_t i = 0; i < count; ++i) {
    const HerbKind& herb = Any(HerbKinds());
    const int64_t bags = Between(8, 16);
    HerbLot& lot = week_.herbs.emplace_back();
    NewHerbline& herbline = *lot.request.mutable_herbline();
    herbline.set_item_code(
        absl::StrFormat("HB%d-%04d%02d", seed_, week_.number, i + 1));
    herbline.set_name(std::string(herb.name));
    herbline.set_purchase_order(
        absl::StrFormat("PH%d-%04d", seed_, week_.number));
    herbline.set_expected_grams(bags * herb.bag_grams);
    *lot.request.mutable_occurred_at() = ToProto(At(0, 0, 60));
    const std::string_view room = Any(HerbRooms());
    absl::Time at = At(0, 90, 300);
    std::vector<Stock>& stock = herb_.emplace_back();
    for (int64_t bag = 0; bag < bags; ++bag) {
      const int64_t net = herb.bag_grams + Between(-15, 15) * kScaleStepGrams;
      BagReceipt receipt =
          WeighIn(net, 200 + Between(0, 3) * kScaleStepGrams, room, at);
      receipt.set_reference(
          absl::StrFormat("%s %d/%d", herb.name, bag + 1, bags));
      stock.push_back({receipt.barcode(), net});
      lot.bags.push_back(std::move(receipt));
      at += absl::Seconds(Between(30, 90));
    }
  }
}

void WeekMaker::MakeBalances() {
  const int64_t count = ShareOf(kBlendbalances, week_.number);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t bags = Between(2, 5);
    BalanceLot& lot = week_.balances.emplace_back();
    NewBlendbalance& balance = *lot.request.mutable_blendbalance();
    balance.set_item_code(
        absl::StrFormat("BB%d-%04d%02d", seed_, week_.number, i + 1));
    balance.set_blend_code(std::string(Any(BlendKinds()).code));
    balance.set_transfer_id(
        absl::StrFormat("TR%d-%04d%02d", seed_, week_.number, i + 1));
    if (Chance(60)) balance.set_expected_grams(bags * 30'000);
    *lot.request.mutable_occurred_at() = ToProto(At(0, 30, 90));
    const std::string_view store = Any(BlendStores());
    std::vector<Stock>& stock = balance_.emplace_back();
    for (int64_t bag = 0; bag < bags; ++bag) {
      const int64_t net = Between(600, 1400) * kScaleStepGrams;
      lot.bags.push_back(WeighIn(net, 140, store, At(0, 100, 300)));
      stock.push_back({lot.bags.back().barcode(), net});
    }
  }
}

}  // namespace mtp::cli
