#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "google/rpc/error_details.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

namespace pro = processing::v1;
using namespace options::v1;  // the roles

constexpr char kService[] = "mtp.processing.v1.BagService/";
// What one write-off may take without the admin, if nobody said otherwise.
constexpr int64_t kLimitGrams = 10'000;

// The calls of this test, by the people who make them.
class Bags {
 public:
  explicit Bags(const Story& story) : story_(story) {}

  absl::StatusOr<pro::CorrectBagResponse> Correct(const std::string& barcode,
                                                  int64_t gross_grams,
                                                  int64_t tare_grams) const {
    pro::CorrectBagRequest request;
    request.set_barcode(barcode);
    request.set_gross_grams(gross_grams);
    request.set_tare_grams(tare_grams);
    request.set_reason("the scale was not level");
    return Call<pro::CorrectBagResponse>(ROLE_SEEDUWA_OFFICER, "CorrectBag",
                                         request);
  }
  absl::StatusOr<pro::WriteOffBagResponse> WriteOff(
      const std::string& barcode, int64_t grams,
      Role role = ROLE_SEEDUWA_OPERATOR) const {
    pro::WriteOffBagRequest request;
    request.set_barcode(barcode);
    request.set_grams(grams);
    request.set_reason(pro::WRITE_OFF_REASON_MOISTURE);
    request.set_remarks("dry season");
    // Told later.
    request.mutable_occurred_at()->set_seconds(1'700'000'000);
    return Call<pro::WriteOffBagResponse>(role, "WriteOffBag", request);
  }
  absl::StatusOr<pro::DispatchBagResponse> SendAway(
      const std::string& barcode) const {
    pro::DispatchBagRequest request;
    request.set_barcode(barcode);
    request.set_reason("to the auction");
    return Call<pro::DispatchBagResponse>(ROLE_SEEDUWA_OPERATOR, "DispatchBag",
                                          request);
  }
  absl::StatusOr<pro::ReturnBagResponse> TakeBack(
      const std::string& barcode, int64_t net_grams,
      const common::v1::ShipmentKey* shipment = nullptr) const {
    pro::ReturnBagRequest request;
    request.set_barcode(barcode);
    request.set_location(story_.location);
    request.set_gross_grams(net_grams + 500);
    request.set_tare_grams(500);
    if (shipment != nullptr) *request.mutable_shipment() = *shipment;
    return Call<pro::ReturnBagResponse>(ROLE_SEEDUWA_OPERATOR, "ReturnBag",
                                        request);
  }
  absl::StatusOr<pro::RecordStocktakeResponse> Count(
      const pro::RecordStocktakeRequest& request,
      Role role = ROLE_SEEDUWA_OFFICER) const {
    return Call<pro::RecordStocktakeResponse>(role, "RecordStocktake", request);
  }
  pro::GetBagResponse Get(const std::string& barcode) const {
    pro::GetBagRequest request;
    request.set_barcode(barcode);
    const auto response =
        Call<pro::GetBagResponse>(ROLE_SEEDUWA_OPERATOR, "GetBag", request);
    REQUIRE(response.ok());
    return *response;
  }

 private:
  template <typename Response>
  absl::StatusOr<Response> Call(
      Role role, std::string_view method,
      const google::protobuf::Message& request) const {
    return story_.stack().Call<Response>(
        role, absl::StrCat(kService, std::string(method)), request);
  }

  const Story& story_;
};

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "" : errors::Reason(result.status());
}

google::rpc::PreconditionFailure FailureOf(const absl::Status& status) {
  google::rpc::PreconditionFailure failure;
  const auto payload =
      status.GetPayload("type.googleapis.com/google.rpc.PreconditionFailure");
  if (payload.has_value()) failure.ParseFromString(std::string(*payload));
  return failure;
}

std::string ReceivedGrams(const Story& story, const std::string& item_id) {
  return story.stack()
      .Database(SIDE_PROCESSING)
      .Text("SELECT received_grams FROM item WHERE item_id = $1", {item_id});
}

TEST_CASE("a bag shows all that was mended, lost and came back of it") {
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  const Bags bags(story);
  const std::string bag = story.tea_bags[0];
  REQUIRE(bags.Correct(bag, 50'900, 600).ok());
  REQUIRE(bags.Correct("tealine:" + bag, 50'800, 600).ok());
  REQUIRE(bags.WriteOff(bag, 200).ok());
  REQUIRE(bags.SendAway(bag).ok());
  CHECK(bags.Get(bag).bag().status() == pro::BAG_STATUS_DISPATCHED);
  const auto back = bags.TakeBack(bag, 49'900);
  REQUIRE(back.ok());

  const pro::GetBagResponse shown = bags.Get(bag);
  CHECK(shown.bag().SerializeAsString() == back->bag().SerializeAsString());
  CHECK(shown.bag().net_grams() == 50'200);
  CHECK(shown.bag().remaining_grams() == 49'900);
  CHECK(shown.bag().written_off_grams() == 300);
  CHECK(shown.bag().status() == pro::BAG_STATUS_IN_PROCESS);
  REQUIRE(shown.corrections_size() == 2);
  CHECK(shown.corrections(0).old_gross_grams() == Story::kTeaBagGrams + 500);
  CHECK(shown.corrections(0).new_gross_grams() == 50'900);
  CHECK(shown.corrections(1).old_gross_grams() == 50'900);
  CHECK(shown.corrections(1).correction_id() !=
        shown.corrections(0).correction_id());
  CHECK(shown.corrections(0).actor().role() == ROLE_SEEDUWA_OFFICER);
  REQUIRE(shown.write_offs_size() == 2);
  CHECK(shown.write_offs(0).grams() == 200);
  CHECK(shown.write_offs(0).reason() == pro::WRITE_OFF_REASON_MOISTURE);
  CHECK(shown.write_offs(0).remarks() == "dry season");
  CHECK(shown.write_offs(0).occurred_at().seconds() == 1'700'000'000);
  CHECK(shown.write_offs(0).recorded_at().seconds() > 1'700'000'000);
  CHECK(shown.write_offs(1).grams() == 100);
  REQUIRE(shown.returns_size() == 1);
  CHECK(shown.returns(0).SerializeAsString() ==
        back->bag_return().SerializeAsString());
  CHECK(ReceivedGrams(story, story.tealine_id) ==
        absl::StrCat(Story::kTeaBagCount * Story::kTeaBagGrams + 200));
  CHECK(story.stack()
            .Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM audit.entry WHERE entity_kind = "
                    "'bag' AND entity_key = $1 AND action IN ('corrected', "
                    "'written_off', 'dispatched', 'returned')",
                    {bag}) == 6);
  RequireAgreement(story.stack());
}

TEST_CASE("what the book does not allow of a bag is refused without a trace") {
  Story story(Stack::Shared());
  story.DoSteps(1, 6);
  const Bags bags(story);
  const std::string used = story.blend_bags[0];   // all in the shipment
  const std::string balance = story.balance_bag;  // all in the batch
  const std::string tea = story.tea_bags[20];
  const std::string gone = story.tea_bags[21];
  REQUIRE(bags.SendAway(gone).ok());
  RequireAgreement(story.stack());
  const std::string before = Footprint(story.stack());
  const std::string nobodys = NewRequestId();

  CHECK(ReasonOf(bags.Correct(nobodys, 2, 1)) == "BAG_NOT_FOUND");
  CHECK(ReasonOf(bags.Correct(tea, 500, 500)) == "INVALID_FIELDS");
  CHECK(ReasonOf(bags.Correct(gone, 50'000, 500)) == "BAG_DISPATCHED");
  CHECK(ReasonOf(bags.Correct(used, Story::kBlendBagGrams, 1)) ==
        "CORRECTION_BELOW_USED");
  CHECK(ReasonOf(bags.Correct(balance, Story::kBalanceGrams + 501, 500)) ==
        "EXPECTED_WEIGHT_EXCEEDED");
  CHECK(ReasonOf(bags.Correct(used, 1'000'000, 500)) == "BATCH_OUT_EXCEEDS_IN");

  CHECK(ReasonOf(bags.WriteOff(nobodys, 1)) == "BAG_NOT_FOUND");
  CHECK(ReasonOf(bags.WriteOff(gone, 1)) == "BAG_DISPATCHED");
  CHECK(ReasonOf(bags.WriteOff(used, 1)) == "INSUFFICIENT_REMAINING");
  const auto over = bags.WriteOff(tea, kLimitGrams + 1);
  CHECK(ReasonOf(over) == "WRITE_OFF_OVER_LIMIT");
  CHECK(over.status().code() == absl::StatusCode::kPermissionDenied);
  CHECK(Value(over.status(), "limit_grams") == absl::StrCat(kLimitGrams));

  CHECK(ReasonOf(bags.SendAway(nobodys)) == "BAG_NOT_FOUND");
  CHECK(ReasonOf(bags.SendAway(gone)) == "BAG_DISPATCHED");
  CHECK(ReasonOf(bags.SendAway(balance)) == "BAG_EMPTY");

  CHECK(ReasonOf(bags.TakeBack(nobodys, 1)) == "BAG_NOT_FOUND");
  CHECK(ReasonOf(bags.TakeBack(tea, 1)) == "BAG_NOT_DISPATCHED");
  CHECK(ReasonOf(bags.TakeBack(used, 1, &story.shipment)) ==
        "BAG_NOT_DISPATCHED");
  pro::ReturnBagRequest nowhere;
  nowhere.set_barcode(gone);
  nowhere.set_gross_grams(1);
  const absl::Status status =
      story.stack()
          .As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING)
          .Send(absl::StrCat(kService, "ReturnBag"), nowhere)
          .status;
  CHECK(BadFields(status) == std::vector<std::string>{"place"});
  CHECK(Footprint(story.stack()) == before);

  CHECK(bags.WriteOff(tea, kLimitGrams + 1, ROLE_SEEDUWA_ADMIN).ok());
  RequireAgreement(story.stack());
}

TEST_CASE("a part of a bag that a shipment waits for keeps the bag here") {
  Story story(Stack::Shared());
  story.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  pro::ReleaseAllocationRequest release;
  release.set_allocation_id(story.shipment_allocations[0]);
  release.set_grams(1'000);
  REQUIRE(story.stack()
              .Call<pro::ReleaseAllocationResponse>(
                  ROLE_SEEDUWA_OPERATOR,
                  "mtp.processing.v1.AllocationService/ReleaseAllocation",
                  release)
              .ok());
  const Bags bags(story);
  CHECK(ReasonOf(bags.SendAway(story.blend_bags[0])) == "BAG_ALLOCATED");
  pro::BlockBatchRequest block;
  block.set_batch_id(story.batch_id);
  block.set_remarks("mould");
  REQUIRE(story.stack()
              .Call<pro::BlockBatchResponse>(
                  ROLE_TRADER_SUPERVISOR,
                  "mtp.processing.v1.BatchService/BlockBatch", block)
              .ok());
  CHECK(ReasonOf(bags.SendAway(story.blend_bags[11])) == "BATCH_BLOCKED");
  RequireAgreement(story.stack());
}

TEST_CASE("what came back of a shipment is here again, and in no parcel") {
  Story story(Stack::Shared());
  story.DoUntil("mtp.order.v1.ScheduleService/CompleteSchedule");
  const Bags bags(story);
  // Of its 50 kg 30 are in a parcel.
  const std::string bag = story.blend_bags[0];
  CHECK(bags.Get(bag).bag().status() == pro::BAG_STATUS_DISPATCHED);
  const int64_t free = Story::kBlendBagGrams - Story::kParcelGrams;
  const auto too_much = bags.TakeBack(bag, free + 1, &story.shipment);
  CHECK(ReasonOf(too_much) == "RETURN_EXCEEDS_DISPATCHED");
  CHECK(Value(too_much.status(), "parcelled_grams") ==
        absl::StrCat(Story::kParcelGrams));
  const auto back = bags.TakeBack(bag, free - 1'000, &story.shipment);
  REQUIRE(back.ok());
  CHECK(back->bag().remaining_grams() == free - 1'000);
  CHECK(back->bag().returned_grams() == free - 1'000);
  CHECK(back->bag().status() == pro::BAG_STATUS_IN_PROCESS);
  CHECK(bags.Get(bag).returns(0).shipment().request_code() ==
        story.shipment.request_code());

  pro::CreateParcelRequest parcel;
  parcel.set_allocation_id(story.shipment_allocations[0]);
  parcel.set_schedule_code(story.schedule_code);
  parcel.set_grams(1'001);
  const auto make = [&] {
    return story.stack().Call<pro::CreateParcelResponse>(
        ROLE_GRANDPASS_DEV_MACHINE,
        "mtp.processing.v1.AllocationService/CreateParcel", parcel);
  };
  CHECK(ReasonOf(make()) == "PARCELS_EXCEED_ALLOCATION");
  // What leaves and comes back by hand has nothing to do with the shipment.
  REQUIRE(bags.SendAway(bag).ok());
  REQUIRE(bags.TakeBack(bag, free - 1'000).ok());
  CHECK(ReasonOf(make()) == "PARCELS_EXCEED_ALLOCATION");
  parcel.set_grams(1'000);
  CHECK(make().ok());
  CHECK(ReasonOf(bags.TakeBack(bag, 1, &story.shipment)) ==
        "RETURN_EXCEEDS_DISPATCHED");
  // All that is left of it here is lost: nothing of it is on the site.
  REQUIRE(bags.WriteOff(bag, free - 1'000, ROLE_SEEDUWA_ADMIN).ok());
  CHECK(bags.Get(bag).bag().status() == pro::BAG_STATUS_DISPATCHED);
  RequireAgreement(story.stack());
}

TEST_CASE("a stocktake is shown, refused whole or booked whole") {
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  const Bags bags(story);
  pro::RecordStocktakeRequest request;
  request.set_location(story.location);
  request.set_reason("end of the month");
  request.set_write_off_missing(true);
  const auto count = [&](size_t bag, int64_t grams) {
    pro::StocktakeCount& counted = *request.add_counts();
    counted.set_barcode(story.tea_bags[bag]);
    counted.set_remaining_grams(grams);
  };
  for (size_t i = 2; i < 38; ++i) count(i, Story::kTeaBagGrams);
  count(0, Story::kTeaBagGrams - 1'000);
  count(1, Story::kTeaBagGrams + 300);
  // The last two are missing: more than the officer may write off.
  REQUIRE(bags.WriteOff(story.tea_bags[38], 45'000, ROLE_SEEDUWA_ADMIN).ok());
  RequireAgreement(story.stack());
  const std::string before = Footprint(story.stack(), SIDE_PROCESSING);
  CHECK(ReasonOf(bags.Count(request)) == "WRITE_OFF_OVER_LIMIT");
  CHECK(Footprint(story.stack(), SIDE_PROCESSING) == before);

  request.set_validate_only(true);
  const auto shown = bags.Count(request);
  REQUIRE(shown.ok());
  CHECK_FALSE(shown->booked());
  REQUIRE(shown->differences_size() == 4);
  CHECK(shown->difference_grams() == -1'000 + 300 - 5'000);
  CHECK(shown->agreeing_bag_count() == 36);
  CHECK(bags.Get(story.tea_bags[0]).bag().remaining_grams() ==
        Story::kTeaBagGrams);

  request.set_validate_only(false);
  const auto booked = bags.Count(request, ROLE_SEEDUWA_ADMIN);
  REQUIRE(booked.ok());
  CHECK(booked->booked());
  CHECK(booked->difference_grams() == -1'000 + 300 - 5'000 - 50'000);
  CHECK(bags.Get(story.tea_bags[0]).write_offs(0).reason() ==
        pro::WRITE_OFF_REASON_STOCKTAKE);
  CHECK(bags.Get(story.tea_bags[1]).corrections(0).reason() ==
        "end of the month");
  CHECK(bags.Get(story.tea_bags[39]).bag().status() ==
        pro::BAG_STATUS_PROCESSED);
  const Sql database = story.stack().Database(SIDE_PROCESSING);
  CHECK(database.Number(
            "SELECT count(*) FROM stocktake_line WHERE stocktake_id = $1",
            {booked->stocktake_id()}) == 40);
  CHECK(
      database.Number("SELECT count(*) FROM write_off WHERE stocktake_id = $1",
                      {booked->stocktake_id()}) == 3);
  // What was booked is now the book.
  const auto again = bags.Count(request);
  REQUIRE(again.ok());
  CHECK(again->differences_size() == 0);
  RequireAgreement(story.stack());
}

TEST_CASE("what was counted elsewhere moves, but not where it may not lie") {
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  Story next(Stack::Shared());
  next.DoSteps(3, 3);
  const Bags bags(story);
  pro::RecordStocktakeRequest request;
  request.set_location_id(next.location_id);
  request.set_reason("swapped pallets");
  for (const std::string& bag : next.tea_bags)
    request.add_counts()->set_barcode(bag);
  request.add_counts()->set_barcode(story.tea_bags[3]);
  const auto booked = bags.Count(request);
  REQUIRE(booked.ok());
  REQUIRE(booked->differences_size() == 1);
  CHECK(booked->differences(0).finding() == pro::STOCKTAKE_FINDING_MISPLACED);
  CHECK(booked->differences(0).book_location() == story.location);
  CHECK(bags.Get(story.tea_bags[3]).bag().location() == next.location);
  RequireAgreement(story.stack());
}

TEST_CASE("a store of ten thousand bags is counted in one call") {
  constexpr int kCalls = 20;
  constexpr int kBagsOfCall = 500;
  constexpr int64_t kBagGrams = 5'000;
  // One of its own: so many bags are in the way of other tests.
  Story story(Stack::Shared("stocktake"));
  story.DoSteps(1, 3);
  pro::CreateTealineRequest create;
  create.mutable_tealine()->set_item_code("MANY-" + story.blend_code);
  create.mutable_tealine()->set_invoice("I-1");
  create.mutable_tealine()->set_garden("Kenilworth");
  create.mutable_tealine()->set_grade("BOPF");
  create.mutable_tealine()->set_bag_count(kCalls * kBagsOfCall);
  create.mutable_tealine()->set_bag_grams(kBagGrams);
  const auto tealine = story.stack().Call<pro::CreateTealineResponse>(
      ROLE_SEEDUWA_ADMIN, "mtp.processing.v1.MaterialService/CreateTealine",
      create);
  REQUIRE(tealine.ok());
  pro::RecordStocktakeRequest request;
  request.set_location(story.location);
  request.set_reason("end of the year");
  for (int call = 0; call < kCalls; ++call) {
    pro::BatchReceiveBagsRequest receive;
    for (int i = 0; i < kBagsOfCall; ++i) {
      pro::BagReceipt& receipt = *receive.add_receipts();
      receipt.set_item_id(tealine->tealine().item_id());
      receipt.set_location(story.location);
      receipt.set_gross_grams(kBagGrams);
    }
    const auto received = story.stack().Call<pro::BatchReceiveBagsResponse>(
        ROLE_SEEDUWA_OPERATOR, absl::StrCat(kService, "BatchReceiveBags"),
        receive);
    REQUIRE(received.ok());
    for (const auto& result : received->results()) {
      pro::StocktakeCount& count = *request.add_counts();
      count.set_barcode(result.bag().barcode());
      count.set_remaining_grams(kBagGrams + request.counts_size() % 3 - 1);
    }
  }
  const auto booked = Bags(story).Count(request);
  REQUIRE(booked.ok());
  CHECK(booked->counted_bag_count() == kCalls * kBagsOfCall);
  CHECK(booked->difference_count() == kCalls * kBagsOfCall -
                                          booked->agreeing_bag_count() +
                                          Story::kTeaBagCount);
  CHECK(booked->differences_size() == 1'000);
  RequireAgreement(story.stack());
}

TEST_CASE("more refusals than an error holds still make an answer") {
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  const Bags bags(story);
  pro::RecordStocktakeRequest request;
  request.set_location(story.location);
  request.set_reason("end of the month");
  for (const std::string& bag : story.tea_bags) {
    REQUIRE(bags.SendAway(bag).ok());
    request.add_counts()->set_barcode(bag);
  }
  const auto refused = bags.Count(request);
  CHECK(ReasonOf(refused) == "BAG_DISPATCHED");
  CHECK(Value(refused.status(), "violations") ==
        absl::StrCat(Story::kTeaBagCount));
  const google::rpc::PreconditionFailure failure = FailureOf(refused.status());
  REQUIRE(failure.violations_size() > 10);
  CHECK(failure.violations(0).subject().size() == 36);
  RequireAgreement(story.stack());
}

}  // namespace
}  // namespace mtp::tests
