#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "processing_service/bag_corrections.h"
#include "processing_service/bag_departures.h"
#include "processing_service/batches.h"
#include "processing_service/outbound.h"
#include "processing_service/parcels.h"
#include "processing_service/stocktakes.h"
#include "tests/unit/seeduwa.h"

// Everything that changes a bag, in any order: the book is right at every
// moment, and a refused call leaves it as it was.
namespace mtp::processing {
namespace {

constexpr int64_t kScheduleCode = 5;

// Every amount there is, as text.
std::string AllAmounts(const Rows& rows) {
  std::string text;
  for (const Bag* bag : rows.bags.All()) {
    absl::StrAppend(&text, bag->barcode.ToString(), " ", bag->gross_grams, " ",
                    bag->tare_grams, " ", bag->net_grams, " ",
                    bag->remaining_grams, " ", bag->written_off_grams, " ",
                    bag->returned_grams, " ", bag->status, " ", bag->location,
                    "\n");
  }
  for (const Item* item : rows.items.All())
    absl::StrAppend(&text, item->received_bags, " ", item->received_grams,
                    "\n");
  for (const Batch* batch : rows.batches.All()) {
    absl::StrAppend(&text, batch->in_grams, " ", batch->out_grams, " ",
                    batch->out_bags, " ", batch->version, "\n");
  }
  for (const Shipment* shipment : rows.shipments.All()) {
    absl::StrAppend(&text, shipment->allocated_grams, " ", shipment->version,
                    " ", shipment->dispatched, "\n");
  }
  for (const Allocation* allocation : rows.allocations.All()) {
    absl::StrAppend(&text, allocation->grams, " ", allocation->parcelled_grams,
                    "\n");
  }
  return absl::StrCat(text, rows.allocation_releases.appended().size(), " ",
                      rows.bag_moves.appended().size(), " ",
                      rows.bag_corrections.appended().size(), " ",
                      rows.write_offs.appended().size(), " ",
                      rows.bag_returns.appended().size(), " ",
                      rows.bag_dispatches.appended().size(), " ",
                      rows.stocktake_lines.appended().size());
}

// What was said of one bag, added up from what was kept.
struct Past {
  int64_t allocated = 0;
  bool all_left = true;
  int64_t written_off = 0;
  int64_t returned = 0;
  int64_t corrected = 0;  // net, up and down
  int64_t corrections = 0;
};

std::map<Uuid, Past> PastOf(const Rows& rows) {
  std::map<Uuid, Past> past;
  for (const Allocation* allocation : rows.allocations.All()) {
    if (!allocation->active()) continue;
    Past& bag = past[allocation->barcode];
    bag.allocated += allocation->grams;
    const auto key = allocation->shipment();
    bag.all_left &= key.has_value() && rows.shipments.Find(*key)->dispatched;
  }
  for (const WriteOff& loss : rows.write_offs.appended()) {
    REQUIRE(loss.grams > 0);
    past[loss.barcode].written_off += loss.grams;
  }
  for (const BagReturn& back : rows.bag_returns.appended()) {
    REQUIRE(back.net_grams > 0);
    if (back.request_code.has_value())
      past[back.barcode].returned += back.net_grams;
  }
  for (const BagCorrection& correction : rows.bag_corrections.appended()) {
    Past& bag = past[correction.barcode];
    REQUIRE(correction.correction_id == ++bag.corrections);
    bag.corrected += correction.new_net_grams - correction.old_net_grams;
  }
  return past;
}

v1::BagStatus StatusBy(const Bag& bag, const Past& past) {
  if (bag.dispatched_by_hand) return v1::BAG_STATUS_DISPATCHED;
  if (bag.remaining_grams == bag.net_grams) return v1::BAG_STATUS_ACCEPTED;
  if (bag.remaining_grams > 0) return v1::BAG_STATUS_IN_PROCESS;
  return past.allocated > 0 && past.all_left ? v1::BAG_STATUS_DISPATCHED
                                             : v1::BAG_STATUS_PROCESSED;
}

void CheckBags(const Rows& rows, const std::map<Uuid, int64_t>& weighed_in) {
  std::map<Uuid, Past> past = PastOf(rows);
  for (const Bag* bag : rows.bags.All()) {
    const Past& was = past[bag->barcode];
    REQUIRE(bag->gross_grams == bag->net_grams + bag->tare_grams);
    REQUIRE(bag->gross_grams <= kMaxBagGrams);
    REQUIRE(bag->net_grams == weighed_in.at(bag->barcode) + was.corrected);
    REQUIRE(bag->net_grams + was.returned ==
            bag->remaining_grams + was.allocated + was.written_off);
    REQUIRE(bag->remaining_grams >= 0);
    REQUIRE(bag->remaining_grams <= bag->net_grams);
    REQUIRE(bag->written_off_grams == was.written_off);
    REQUIRE(bag->returned_grams == was.returned);
    REQUIRE(bag->AllocatedGrams() == was.allocated);
    REQUIRE(bag->status == StatusBy(*bag, was));
    const bool herb = bag->kind == v1::MATERIAL_KIND_HERBLINE;
    REQUIRE(rows.locations.Find(bag->location_id)->herb_section == herb);
  }
}

void CheckSources(const Rows& rows) {
  std::map<Uuid, int64_t> from;
  for (const Bag* bag : rows.bags.All())
    from[bag->item_id.has_value() ? *bag->item_id : *bag->batch_id] +=
        bag->net_grams;
  for (const Item* item : rows.items.All()) {
    REQUIRE(item->received_grams == from[item->item_id]);
    REQUIRE(item->received_grams <=
            item->gram_limit.value_or(item->received_grams));
  }
  std::map<Uuid, int64_t> into;
  for (const Allocation* allocation : rows.allocations.All()) {
    if (allocation->batch_id.has_value())
      into[*allocation->batch_id] += allocation->grams;
  }
  for (const Batch* batch : rows.batches.All()) {
    REQUIRE(batch->in_grams == batch->opening_grams + into[batch->batch_id]);
    REQUIRE(batch->out_grams == from[batch->batch_id]);
    REQUIRE(batch->out_grams <= batch->OutLimitGrams());
  }
}

// What left in a shipment is what went to Grandpass, into parcels or came back.
void CheckShipments(const Rows& rows) {
  std::map<db::ShipmentKey, int64_t> into;
  std::map<std::pair<db::ShipmentKey, Uuid>, int64_t> free;
  for (const Allocation* allocation : rows.allocations.All()) {
    const auto key = allocation->shipment();
    if (!key.has_value() || !allocation->active()) continue;
    into[*key] += allocation->grams;
    REQUIRE(allocation->parcelled_grams <= allocation->grams);
    free[{*key, allocation->barcode}] +=
        allocation->grams - allocation->parcelled_grams;
  }
  for (const BagReturn& back : rows.bag_returns.appended()) {
    if (!back.request_code.has_value()) continue;
    const db::ShipmentKey key{*back.request_code, *back.shipment_code};
    REQUIRE(rows.shipments.Find(key)->dispatched);
    free[{key, back.barcode}] -= back.net_grams;
  }
  for (const auto& [where, grams] : free) REQUIRE(grams >= 0);
  for (const Shipment* shipment : rows.shipments.All()) {
    REQUIRE(shipment->allocated_grams == into[shipment->key()]);
    REQUIRE(shipment->allocated_grams <= shipment->quantity_grams);
  }
  std::map<Uuid, int64_t> parcels;
  for (const Parcel* parcel : rows.parcels.All()) {
    if (parcel->active()) parcels[parcel->allocation_id] += parcel->grams;
  }
  for (const Allocation* allocation : rows.allocations.All())
    REQUIRE(allocation->parcelled_grams == parcels[allocation->allocation_id]);
}

// Calls at random, many of which must be refused.
class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {
    seeduwa.settings.write_off_limit_grams = 5'000;
    seeduwa.AddLocation("Store B", /*herb_section=*/false);
    places_ = {"Store A", "Store B", "Herbs 1"};
    blend_ = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                              v1::TRADER_STATE_TRADER_ALLOWED, 40'000);
    flavor_ = seeduwa.AddBatch(v1::MATERIAL_KIND_FLAVORSHEET,
                               v1::TRADER_STATE_UNSPECIFIED, 0);
    for (int64_t code = 1; code <= 6; ++code) {
      shipments_.push_back(seeduwa.AddShipment(code, 20'000 * code));
      Shipment& shipment = Edit(shipments_.back());
      shipment.order_code = "O-1";
    }
    seeduwa.rows.schedules.Put(
        {.schedule_code = kScheduleCode, .order_code = "O-1"});
    for (const MaterialKind kind :
         {v1::MATERIAL_KIND_TEALINE, v1::MATERIAL_KIND_HERBLINE,
          v1::MATERIAL_KIND_BLENDBALANCE}) {
      const Uuid item = seeduwa.AddItem(kind, std::nullopt,
                                        kind == v1::MATERIAL_KIND_BLENDBALANCE
                                            ? std::optional(70'000)
                                            : std::nullopt);
      for (int i = 0; i < 3; ++i) {
        // Later things have greater ids: a seed means the same each time.
        seeduwa.now += absl::Seconds(1);
        Weigh(seeduwa.Receive(item, 20'000));
      }
    }
    seeduwa.rows.Keep();
  }

  // One call, and the name of what was asked; whether it was done.
  bool Step() {
    seeduwa.LoadHistories();
    seeduwa.now += absl::Seconds(1);
    switch (Below(18)) {
      case 0:
      case 1:
        return AllocateToShipment();
      case 2:
        return AllocateToBatch();
      case 3:
        return Release();
      case 4:
        return Weigh(
            seeduwa.Receive(Below(2) == 0 ? blend_ : flavor_, AnyGrams()));
      case 5:
        return Correct();
      case 6:
        return LoseSome();
      case 7:
        return Count();
      case 8:
        return SendAway();
      case 9:
        return TakeBackByHand();
      case 10:
      case 11:
        return TakeBackOfShipment();
      case 12:
        return Place();
      case 13:
        return Dispatch();
      case 14:
        return CorrectDispatch();
      case 15:
        return Below(3) == 0 && Accept();
      default:
        return Below(4) == 0 ? ReleaseParcel() : MakeParcel();
    }
  }

  void CheckBook() const {
    CheckBags(seeduwa.rows, weighed_in_);
    CheckSources(seeduwa.rows);
    CheckShipments(seeduwa.rows);
  }

  Seeduwa seeduwa;
  // What was done of each kind, so that none is only ever refused.
  std::map<std::string, int> done;

 private:
  size_t Below(size_t limit) { return random_() % limit; }
  int64_t AnyGrams() { return 1 + static_cast<int64_t>(Below(15'000)); }
  const Bag& AnyBag() {
    const auto bags = seeduwa.rows.bags.All();
    return *bags[Below(bags.size())];
  }
  db::ShipmentKey AnyShipment() { return shipments_[Below(shipments_.size())]; }
  // One that left, if there is any.
  db::ShipmentKey ShipmentThatLeft() {
    std::vector<db::ShipmentKey> left;
    for (const db::ShipmentKey& key : shipments_) {
      const Shipment& shipment = *seeduwa.rows.shipments.Find(key);
      if (shipment.dispatched && !shipment.accepted) left.push_back(key);
    }
    return left.empty() ? AnyShipment() : left[Below(left.size())];
  }
  // One that can be made into parcels, if there is any; none if there is none
  // at all.
  const Allocation* AcceptedAllocation() {
    const auto all = seeduwa.rows.allocations.All();
    std::vector<const Allocation*> accepted;
    for (const Allocation* allocation : all) {
      const auto key = allocation->shipment();
      if (key.has_value() && seeduwa.rows.shipments.Find(*key)->accepted)
        accepted.push_back(allocation);
    }
    const auto& choice = accepted.empty() || Below(8) == 0 ? all : accepted;
    return choice.empty() ? nullptr : choice[Below(choice.size())];
  }
  // Often all there is.
  int64_t GramsOf(int64_t all) {
    return all > 0 && Below(2) == 0 ? all : AnyGrams();
  }
  Shipment& Edit(const db::ShipmentKey& key) {
    return seeduwa.rows.shipments.Edit(*seeduwa.rows.shipments.Find(key));
  }
  template <typename Result>
  bool Done(const std::string& what, const Result& result) {
    if (result.ok()) ++done[what];
    return result.ok();
  }
  bool Weigh(const absl::StatusOr<v1::Bag>& bag) {
    if (bag.ok()) weighed_in_[*Uuid::Parse(bag->barcode())] = bag->net_grams();
    return Done("received", bag);
  }

  bool AllocateToShipment() {
    const Bag& bag = AnyBag();
    v1::AllocateToShipmentRequest request;
    request.set_barcode(bag.barcode.ToString());
    AnyShipment().To(request.mutable_shipment());
    request.set_grams(GramsOf(bag.remaining_grams));
    return Done("shipped", seeduwa.Run(DecideAllocateToShipment, request));
  }
  bool AllocateToBatch() {
    const Bag& bag = AnyBag();
    v1::AllocateToBatchRequest request;
    request.set_barcode(bag.barcode.ToString());
    request.set_batch_id((Below(2) == 0 ? blend_ : flavor_).ToString());
    request.set_grams(GramsOf(bag.remaining_grams));
    return Done("blended", seeduwa.Run(DecideAllocateToBatch, request));
  }
  bool Release() {
    const auto all = seeduwa.rows.allocations.All();
    if (all.empty()) return false;
    v1::ReleaseAllocationRequest request;
    request.set_allocation_id(all[Below(all.size())]->allocation_id.ToString());
    request.set_grams(Below(3) == 0 ? 0 : AnyGrams());
    return Done("released", seeduwa.Run(DecideReleaseAllocation, request));
  }
  bool Correct() {
    const Bag& bag = AnyBag();
    v1::CorrectBagRequest request;
    request.set_barcode(bag.barcode.ToString());
    request.set_tare_grams(static_cast<int64_t>(Below(600)));
    request.set_gross_grams(request.tare_grams() +
                            (Below(3) == 0 ? bag.UsedGrams() : AnyGrams()));
    request.set_reason("the scale was not level");
    return Done("corrected", seeduwa.Run(DecideCorrectBag, request));
  }
  bool LoseSome() {
    const Bag& bag = AnyBag();
    v1::WriteOffBagRequest request;
    request.set_barcode(bag.barcode.ToString());
    request.set_grams(GramsOf(bag.remaining_grams));
    request.set_reason(v1::WRITE_OFF_REASON_MOISTURE);
    return Done("written off", seeduwa.Run(DecideWriteOffBag, request));
  }
  bool Count() {
    v1::RecordStocktakeRequest request;
    request.set_location(places_[Below(places_.size())]);
    request.set_reason("count");
    request.set_write_off_missing(Below(2) == 0);
    request.set_validate_only(Below(4) == 0);
    for (const Bag* bag : seeduwa.rows.bags.All()) {
      const bool there = bag->location == request.location() && !bag->gone();
      const bool found = Below(8) == 0 ? !there : there;
      if (!found) continue;
      v1::StocktakeCount& count = *request.add_counts();
      count.set_barcode(bag->barcode.ToString());
      if (Below(2) == 0) {
        count.set_remaining_grams(std::max<int64_t>(
            0, bag->remaining_grams + 400 - static_cast<int64_t>(Below(900))));
      }
    }
    return Done("counted", seeduwa.Run(DecideRecordStocktake, request)) &&
           !request.validate_only();
  }
  bool SendAway() {
    v1::DispatchBagRequest request;
    request.set_barcode(AnyBag().barcode.ToString());
    request.set_reason("sold");
    return Done("sent away", seeduwa.Run(DecideDispatchBag, request));
  }
  bool TakeBack(const Bag& bag, int64_t grams,
                std::optional<db::ShipmentKey> key, const std::string& what) {
    v1::ReturnBagRequest request;
    request.set_barcode(bag.barcode.ToString());
    request.set_location(places_[Below(places_.size())]);
    request.set_gross_grams(grams + 300);
    request.set_tare_grams(300);
    if (key.has_value()) key->To(request.mutable_shipment());
    return Done(what, seeduwa.Run(DecideReturnBag, request));
  }
  bool TakeBackByHand() {
    std::vector<const Bag*> gone;
    for (const Bag* bag : seeduwa.rows.bags.All()) {
      if (bag->dispatched_by_hand) gone.push_back(bag);
    }
    const Bag& bag = gone.empty() ? AnyBag() : *gone[Below(gone.size())];
    return TakeBack(bag,
                    std::max<int64_t>(1, bag.remaining_grams + 200 -
                                             static_cast<int64_t>(Below(500))),
                    std::nullopt, "came back by hand");
  }
  bool TakeBackOfShipment() {
    const auto all = seeduwa.rows.allocations.All();
    if (all.empty()) return false;
    const Allocation& allocation = *all[Below(all.size())];
    return TakeBack(*seeduwa.rows.bags.Find(allocation.barcode),
                    GramsOf(allocation.grams),
                    allocation.shipment().value_or(AnyShipment()),
                    "came back of a shipment");
  }
  bool Place() {
    v1::MoveBagRequest request;
    request.set_barcode(AnyBag().barcode.ToString());
    request.set_location(places_[Below(places_.size())]);
    return Done("moved", seeduwa.Run(DecideMoveBag, request));
  }
  bool Dispatch() {
    const db::ShipmentKey key = AnyShipment();
    v1::MarkShipmentReadyRequest ready;
    key.To(ready.mutable_key());
    const bool marked = seeduwa.Run(DecideMarkShipmentReady, ready).ok();
    v1::DispatchShipmentsRequest request;
    key.To(request.add_keys());
    request.set_shipment_vehicle("WP-1");
    return Done("dispatched", seeduwa.Run(DecideDispatchShipments, request)) ||
           marked;
  }
  bool CorrectDispatch() {
    v1::CorrectDispatchRequest request;
    ShipmentThatLeft().To(request.mutable_key());
    request.set_take_back(true);
    request.set_reason("it stands in the yard");
    return Done("taken back", seeduwa.Run(DecideCorrectDispatch, request));
  }
  // Grandpass's word.
  bool Accept() {
    Shipment& shipment = Edit(ShipmentThatLeft());
    const bool news = shipment.dispatched && !shipment.accepted;
    if (news) {
      shipment.accepted = true;
      shipment.status = shipment.StatusFromFacts();
    }
    seeduwa.rows.Keep();
    return news;
  }
  bool MakeParcel() {
    const Allocation* chosen = AcceptedAllocation();
    if (chosen == nullptr) return false;
    const Allocation& allocation = *chosen;
    v1::CreateParcelRequest request;
    request.set_allocation_id(allocation.allocation_id.ToString());
    request.set_schedule_code(kScheduleCode);
    request.set_grams(GramsOf(allocation.grams - allocation.parcelled_grams));
    return Done("parcelled", seeduwa.Run(DecideCreateParcel, request));
  }
  bool ReleaseParcel() {
    const auto all = seeduwa.rows.parcels.All();
    if (all.empty()) return false;
    v1::ReleaseParcelRequest request;
    request.set_parcel_id(all[Below(all.size())]->parcel_id.ToString());
    return Done("parcel released", seeduwa.Run(DecideReleaseParcel, request));
  }

  std::mt19937 random_;
  Uuid blend_;
  Uuid flavor_;
  std::vector<std::string> places_;
  std::vector<db::ShipmentKey> shipments_;
  std::map<Uuid, int64_t> weighed_in_;
};

TEST_CASE("the book of bags is right whatever is done to them, in any order") {
  std::map<std::string, int> done;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    Chance chance(seed);
    INFO("seed " << seed);
    for (int step = 0; step < 250; ++step) {
      const std::string before = AllAmounts(chance.seeduwa.rows);
      if (!chance.Step()) REQUIRE(AllAmounts(chance.seeduwa.rows) == before);
      chance.CheckBook();
    }
    for (const auto& [what, times] : chance.done) done[what] += times;
  }
  for (const char* what :
       {"received", "shipped", "blended", "released", "corrected",
        "written off", "counted", "sent away", "came back by hand",
        "came back of a shipment", "moved", "dispatched", "taken back",
        "parcelled", "parcel released"}) {
    INFO(what);
    CHECK(done[what] > 20);
  }
}

}  // namespace
}  // namespace mtp::processing
