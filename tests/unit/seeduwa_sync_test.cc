#include <catch2/catch.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "processing_service/giving_back.h"
#include "processing_service/outbound.h"
#include "processing_service/sync.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

using sync::v1::ShipmentState;
using sync::v1::Verdict;
using sync::v1::VerdictCode;

constexpr auto kApplied = VerdictCode::VERDICT_CODE_APPLIED;
constexpr auto kStale = VerdictCode::VERDICT_CODE_STALE;
constexpr auto kPoison = VerdictCode::VERDICT_CODE_POISON;

ShipmentState State(int64_t epoch, int64_t version, int64_t quantity_grams) {
  ShipmentState state;
  state.mutable_stamp()->set_epoch(epoch);
  state.mutable_stamp()->set_version(version);
  state.mutable_stamp()->add_correlation_ids(absl::StrCat("cause-", version));
  state.mutable_key()->set_request_code(17);
  state.mutable_key()->set_shipment_code(1);
  state.set_order_code("O-1");
  state.set_product_name("English Breakfast");
  state.set_quantity_grams(quantity_grams);
  state.set_approved(true);
  return state;
}

ShipmentState Cancelled(int64_t version, int64_t quantity_grams) {
  ShipmentState state = State(1, version, quantity_grams);
  state.mutable_cancelled()->set_order_remarks("not needed");
  return state;
}

ShipmentState Accepted(int64_t version, int64_t quantity_grams) {
  ShipmentState state = State(1, version, quantity_grams);
  state.mutable_accepted()->set_shipment_remarks("in order");
  return state;
}

// A call of the peer's.
template <typename Request, typename Response>
Response Tell(Seeduwa& seeduwa, const Request& request,
              absl::StatusOr<Response> (*decide)(const Request&, Context&,
                                                 Rows&)) {
  const std::string name = Request::descriptor()->name();
  const tests::SilentCall call("mtp.sync.v1.ProcessingSyncService",
                               name.substr(0, name.size() - 7),
                               options::v1::ROLE_UNSPECIFIED);
  Context context(call, {}, seeduwa.now);
  const auto response = decide(request, context, seeduwa.rows);
  REQUIRE(response.ok());
  seeduwa.rows.Keep();
  seeduwa.marks += context.marks().size();
  return *response;
}

VerdictCode Apply(Seeduwa& seeduwa, const ShipmentState& state) {
  sync::v1::ApplyShipmentsRequest request;
  request.mutable_sender()->set_epoch(state.stamp().epoch());
  *request.add_states() = state;
  const auto response = Tell(seeduwa, request, DecideApplyShipments);
  REQUIRE(response.verdicts_size() == 1);
  return response.verdicts(0).code();
}

const Shipment& TheShipment(const Seeduwa& seeduwa) {
  const Shipment* found = seeduwa.rows.shipments.Find({17, 1});
  REQUIRE(found != nullptr);
  return *found;
}

std::string NewBag(Seeduwa& seeduwa, int64_t grams) {
  const auto bag =
      seeduwa.Receive(seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 1000), grams);
  REQUIRE(bag.ok());
  return bag->barcode();
}

std::string Allocate(Seeduwa& seeduwa, const std::string& barcode,
                     int64_t grams) {
  v1::AllocateToShipmentRequest request;
  request.set_barcode(barcode);
  request.mutable_shipment()->set_request_code(17);
  request.mutable_shipment()->set_shipment_code(1);
  request.set_grams(grams);
  seeduwa.now += absl::Seconds(1);
  const auto response = seeduwa.Run(DecideAllocateToShipment, request);
  REQUIRE(response.ok());
  return response->allocation().allocation_id();
}

void Dispatch(Seeduwa& seeduwa) {
  v1::MarkShipmentReadyRequest ready;
  ready.mutable_key()->set_request_code(17);
  ready.mutable_key()->set_shipment_code(1);
  REQUIRE(seeduwa.Run(DecideMarkShipmentReady, ready).ok());
  v1::DispatchShipmentsRequest dispatch;
  *dispatch.add_keys() = ready.key();
  dispatch.set_shipment_vehicle("WP-1234");
  REQUIRE(seeduwa.Run(DecideDispatchShipments, dispatch).ok());
}

int64_t GramsOf(const Seeduwa& seeduwa, const std::string& allocation_id) {
  return seeduwa.rows.allocations.Find(*Uuid::Parse(allocation_id))->grams;
}
int64_t RemainingOf(const Seeduwa& seeduwa, const std::string& barcode) {
  return seeduwa.rows.bags.Find(*Uuid::Parse(barcode))->remaining_grams;
}

std::vector<ops::v1::ExceptionKind> ExceptionsOf(const Seeduwa& seeduwa) {
  std::vector<ops::v1::ExceptionKind> kinds;
  for (const sync::Exception* exception : seeduwa.rows.exceptions.All()) {
    kinds.push_back(exception->kind);
  }
  return kinds;
}

TEST_CASE("a shipment told twice, late or out of order changes nothing") {
  Seeduwa seeduwa;
  CHECK(Apply(seeduwa, State(1, 2, 40'000)) == kApplied);
  CHECK(Apply(seeduwa, State(1, 2, 40'000)) == kStale);
  CHECK(Apply(seeduwa, State(1, 1, 90'000)) == kStale);
  CHECK(TheShipment(seeduwa).quantity_grams == 40'000);
  CHECK(TheShipment(seeduwa).order_version == 2);
  CHECK(seeduwa.marks == 0);

  CHECK(Apply(seeduwa, State(2, 1, 50'000)) == kApplied);
  CHECK(Apply(seeduwa, State(2, 1, 50'000)) == kStale);
  CHECK(TheShipment(seeduwa).quantity_grams == 50'000);
  CHECK(TheShipment(seeduwa).version == 0);
}

TEST_CASE("a sender of a superseded epoch is refused and nothing is applied") {
  Seeduwa seeduwa;
  CHECK(Apply(seeduwa, State(2, 1, 50'000)) == kApplied);
  sync::v1::ApplyShipmentsRequest request;
  request.mutable_sender()->set_epoch(1);
  *request.add_states() = State(1, 9, 10'000);
  const auto response = Tell(seeduwa, request, DecideApplyShipments);
  CHECK(response.receipt().refusal() == sync::v1::REFUSAL_EPOCH_SUPERSEDED);
  CHECK(response.verdicts().empty());
  CHECK(TheShipment(seeduwa).quantity_grams == 50'000);
}

TEST_CASE("a state that breaks a rule holds up no other") {
  Seeduwa seeduwa;
  sync::v1::ApplyShipmentsRequest request;
  request.mutable_sender()->set_epoch(1);
  *request.add_states() = State(1, 1, 0);
  *request.add_states() = State(1, 0, 1'000);
  request.add_states()->mutable_stamp()->set_epoch(1);
  ShipmentState unreadable = Accepted(1, 1'000);
  unreadable.mutable_accepted()->add_missing_barcodes("a bag");
  *request.add_states() = unreadable;
  *request.add_states() = State(1, 1, 1'000);
  const auto response = Tell(seeduwa, request, DecideApplyShipments);
  REQUIRE(response.verdicts_size() == 5);
  for (int i = 0; i < 4; ++i) {
    CHECK(response.verdicts(i).code() == kPoison);
    CHECK(response.verdicts(i).reason() == "INVALID_STATE");
  }
  CHECK(response.verdicts(4).code() == kApplied);
}

TEST_CASE("a cut gives back the newest allocations, the last one in part") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  const std::string a = NewBag(seeduwa, 25'000);
  const std::string b = NewBag(seeduwa, 25'000);
  const std::string oldest = Allocate(seeduwa, a, 25'000);
  const std::string middle = Allocate(seeduwa, b, 20'000);
  const std::string newest = Allocate(seeduwa, b, 5'000);
  const int64_t version = TheShipment(seeduwa).version;
  const size_t marks = seeduwa.marks;

  REQUIRE(Apply(seeduwa, State(1, 2, 30'000)) == kApplied);
  CHECK(GramsOf(seeduwa, oldest) == 25'000);
  CHECK(GramsOf(seeduwa, middle) == 5'000);
  CHECK(GramsOf(seeduwa, newest) == 0);
  CHECK_FALSE(seeduwa.rows.allocations.Find(*Uuid::Parse(newest))->active());
  CHECK(RemainingOf(seeduwa, a) == 0);
  CHECK(RemainingOf(seeduwa, b) == 20'000);
  CHECK(TheShipment(seeduwa).allocated_grams == 30'000);
  CHECK(TheShipment(seeduwa).version == version + 1);
  CHECK(seeduwa.marks == marks + 1);

  const auto& releases = seeduwa.rows.allocation_releases.appended();
  REQUIRE(releases.size() == 2);
  CHECK(releases[0].grams == 5'000);
  CHECK(releases[1].grams == 15'000);
  CHECK(releases[1].reason == kGivenBack);
  CHECK(releases[1].correlation_id == "cause-2");
}

TEST_CASE("a cut that leaves room gives nothing back and tells nothing") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  Allocate(seeduwa, NewBag(seeduwa, 25'000), 25'000);
  const int64_t version = TheShipment(seeduwa).version;
  REQUIRE(Apply(seeduwa, State(1, 2, 25'000)) == kApplied);
  CHECK(TheShipment(seeduwa).allocated_grams == 25'000);
  CHECK(TheShipment(seeduwa).version == version);
  CHECK(seeduwa.rows.allocation_releases.appended().empty());
}

TEST_CASE("a cancellation gives everything back") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  const std::string bag = NewBag(seeduwa, 25'000);
  Allocate(seeduwa, bag, 20'000);
  REQUIRE(Apply(seeduwa, Cancelled(2, 60'000)) == kApplied);
  CHECK(TheShipment(seeduwa).status ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_CANCELLED);
  CHECK(TheShipment(seeduwa).allocated_grams == 0);
  CHECK(RemainingOf(seeduwa, bag) == 25'000);
  CHECK(seeduwa.rows.bags.Find(*Uuid::Parse(bag))->status ==
        v1::BAG_STATUS_ACCEPTED);
  CHECK(ExceptionsOf(seeduwa).empty());
}

TEST_CASE("what was taken back after a restore is given back last") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  Shipment& shipment = seeduwa.rows.shipments.Edit(TheShipment(seeduwa));
  shipment.allocated_grams = 10'000;
  shipment.recovered_grams = 10'000;
  Allocate(seeduwa, NewBag(seeduwa, 25'000), 20'000);
  REQUIRE(Apply(seeduwa, State(1, 2, 8'000)) == kApplied);
  CHECK(TheShipment(seeduwa).allocated_grams == 8'000);
  CHECK(TheShipment(seeduwa).recovered_grams == 8'000);
}

TEST_CASE("a dispatch stands against a cancellation, with an exception") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  const std::string bag = NewBag(seeduwa, 25'000);
  Allocate(seeduwa, bag, 25'000);
  Dispatch(seeduwa);
  REQUIRE(Apply(seeduwa, Cancelled(2, 60'000)) == kApplied);
  CHECK(TheShipment(seeduwa).status ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(TheShipment(seeduwa).allocated_grams == 25'000);
  CHECK(RemainingOf(seeduwa, bag) == 0);
  REQUIRE(ExceptionsOf(seeduwa) ==
          std::vector{ops::v1::EXCEPTION_KIND_DISPATCHED_AFTER_CANCELLATION});
  // The next news of it is no new trouble.
  ShipmentState accepted = Cancelled(3, 60'000);
  accepted.mutable_accepted();
  REQUIRE(Apply(seeduwa, accepted) == kApplied);
  CHECK(ExceptionsOf(seeduwa).size() == 1);
}

TEST_CASE("a cut below what has left is an exception, a cut to it is none") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  Allocate(seeduwa, NewBag(seeduwa, 25'000), 25'000);
  Dispatch(seeduwa);
  REQUIRE(Apply(seeduwa, State(1, 2, 25'000)) == kApplied);
  CHECK(ExceptionsOf(seeduwa).empty());
  REQUIRE(Apply(seeduwa, State(1, 3, 24'999)) == kApplied);
  CHECK(TheShipment(seeduwa).allocated_grams == 25'000);
  CHECK(ExceptionsOf(seeduwa) ==
        std::vector{ops::v1::EXCEPTION_KIND_DISPATCHED_MORE_THAN_ORDERED});
}

TEST_CASE("an acceptance of what was taken back here is an exception") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  seeduwa.rows.shipments.Edit(TheShipment(seeduwa)).corrected_at =
      absl::FromUnixSeconds(1'800'000'000);
  seeduwa.rows.Keep();
  REQUIRE(Apply(seeduwa, Accepted(2, 60'000)) == kApplied);
  CHECK(
      ExceptionsOf(seeduwa) ==
      std::vector{ops::v1::EXCEPTION_KIND_DISPATCH_CORRECTED_AFTER_ACCEPTANCE});
}

TEST_CASE("an acceptance of what a restore lost is none: it is taken back") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  REQUIRE(Apply(seeduwa, Accepted(2, 60'000)) == kApplied);
  CHECK(ExceptionsOf(seeduwa).empty());
}

TEST_CASE("bags sent back that were not in the shipment are an exception") {
  Seeduwa seeduwa;
  REQUIRE(Apply(seeduwa, State(1, 1, 60'000)) == kApplied);
  const std::string in_it = NewBag(seeduwa, 25'000);
  const std::string stranger = NewBag(seeduwa, 25'000);
  Allocate(seeduwa, in_it, 25'000);
  Dispatch(seeduwa);
  ShipmentState accepted = Accepted(2, 25'000);
  accepted.mutable_accepted()->add_sent_back_barcodes(in_it);
  accepted.mutable_accepted()->add_sent_back_barcodes(stranger);
  REQUIRE(Apply(seeduwa, accepted) == kApplied);
  const auto exceptions = seeduwa.rows.exceptions.All();
  REQUIRE(exceptions.size() == 1);
  CHECK(exceptions[0]->kind == ops::v1::EXCEPTION_KIND_SENT_BACK_UNKNOWN);
  CHECK(exceptions[0]->things ==
        std::vector<std::string>{"shipment:17/1", "bag:" + stranger});
}

TEST_CASE(
    "whatever is allocated and cut in whatever order, weight is conserved") {
  std::mt19937 random(20'261'123);
  const auto upto = [&](int64_t most) {
    return std::uniform_int_distribution<int64_t>(1, most)(random);
  };
  for (int run = 0; run < 40; ++run) {
    Seeduwa seeduwa;
    int64_t version = 1;
    REQUIRE(Apply(seeduwa, State(1, version, 100'000)) == kApplied);
    std::vector<std::string> bags;
    for (int i = 0; i < 6; ++i) bags.push_back(NewBag(seeduwa, 30'000));
    for (int step = 0; step < 30; ++step) {
      const Shipment before = TheShipment(seeduwa);
      if (upto(3) < 3) {
        const std::string& bag = bags[static_cast<size_t>(upto(6)) - 1];
        const int64_t most =
            std::min(before.MissingGrams(), RemainingOf(seeduwa, bag));
        if (most > 0 && before.OpenForAllocation())
          Allocate(seeduwa, bag, upto(most));
      } else {
        // Some of what is told is old news.
        const int64_t told =
            upto(4) == 1 ? std::max<int64_t>(1, version - 1) : ++version;
        const auto verdict = Apply(seeduwa, State(1, told, upto(120'000)));
        CHECK(verdict == (told == version && told > before.order_version
                              ? kApplied
                              : kStale));
      }
      const Shipment& now = TheShipment(seeduwa);
      CHECK(now.allocated_grams <= now.quantity_grams);
      int64_t allocated = 0;
      int64_t weight = 0;
      for (const Allocation* one : seeduwa.rows.allocations.All()) {
        CHECK(one->active() == (one->grams > 0));
        allocated += one->grams;
      }
      for (const std::string& bag : bags) weight += RemainingOf(seeduwa, bag);
      CHECK(allocated == now.allocated_grams);
      CHECK(weight + allocated == 6 * 30'000);
      CHECK(now.version >= before.version);
    }
  }
}

sync::v1::ScheduleState ScheduleAt(int64_t version, bool completed) {
  sync::v1::ScheduleState state;
  state.mutable_stamp()->set_epoch(1);
  state.mutable_stamp()->set_version(version);
  state.set_schedule_code(5);
  state.mutable_date()->set_year(2026);
  state.mutable_date()->set_month(11);
  state.mutable_date()->set_day(24);
  state.set_order_code("O-1");
  state.set_shift(common::v1::SHIFT_NIGHT);
  state.set_section("A");
  state.set_quantity_grams(1'000);
  state.set_completed(completed);
  return state;
}

TEST_CASE("a schedule told late does not undo what was told since") {
  Seeduwa seeduwa;
  sync::v1::ApplySchedulesRequest request;
  request.mutable_sender()->set_epoch(1);
  *request.add_states() = ScheduleAt(3, true);
  *request.add_states() = ScheduleAt(2, false);
  auto no_day = ScheduleAt(1, false);
  no_day.set_schedule_code(6);
  no_day.mutable_date()->set_month(2);
  no_day.mutable_date()->set_day(30);
  *request.add_states() = no_day;
  const auto response = Tell(seeduwa, request, DecideApplySchedules);
  REQUIRE(response.verdicts_size() == 3);
  CHECK(response.verdicts(0).code() == kApplied);
  CHECK(response.verdicts(1).code() == kStale);
  CHECK(response.verdicts(2).code() == kPoison);
  CHECK(seeduwa.rows.schedules.Find(5)->completed);
  CHECK(seeduwa.rows.schedules.Find(5)->version == 0);
  CHECK(seeduwa.rows.schedules.Find(6) == nullptr);
}

}  // namespace
}  // namespace mtp::processing
