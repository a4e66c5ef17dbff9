#include "processing_service/stocktakes.h"

#include <catch2/catch.hpp>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/rpc/error_details.pb.h"
#include "processing_service/bag_departures.h"
#include "processing_service/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

std::string ReasonOf(const google::rpc::Status& error) {
  google::rpc::ErrorInfo info;
  for (const auto& detail : error.details()) detail.UnpackTo(&info);
  return info.reason();
}

google::rpc::PreconditionFailure FailureOf(const absl::Status& status) {
  google::rpc::PreconditionFailure failure;
  const auto payload =
      status.GetPayload("type.googleapis.com/google.rpc.PreconditionFailure");
  if (payload.has_value()) failure.ParseFromString(std::string(*payload));
  return failure;
}

// A store with bags in it, and a second one.
struct Store : Seeduwa {
  Store() { role = options::v1::ROLE_SEEDUWA_OFFICER; }

  std::string NewBag(int64_t grams) { return Receive(lot, grams)->barcode(); }
  static void Count(v1::RecordStocktakeRequest& request,
                    const std::string& barcode,
                    std::optional<int64_t> grams = std::nullopt) {
    v1::StocktakeCount& count = *request.add_counts();
    count.set_barcode(barcode);
    if (grams.has_value()) count.set_remaining_grams(*grams);
  }
  v1::RecordStocktakeRequest At(const std::string& place = "Store A") {
    LoadHistories();
    v1::RecordStocktakeRequest request;
    request.set_location(place);
    request.set_reason("end of the month");
    return request;
  }
  auto Record(const v1::RecordStocktakeRequest& request) {
    return Run(DecideRecordStocktake, request);
  }
  const Bag& BagOf(const std::string& barcode) const {
    return *rows.bags.Find(*Uuid::Parse(barcode));
  }
  // All that a stocktake may change.
  std::string Book() const {
    std::string text;
    for (const Bag* bag : rows.bags.All()) {
      absl::StrAppend(&text, bag->barcode.ToString(), " ", bag->net_grams, " ",
                      bag->remaining_grams, " ", bag->written_off_grams, " ",
                      bag->status, " ", bag->location, "\n");
    }
    return absl::StrCat(text, rows.items.Find(lot)->received_grams, " ",
                        rows.write_offs.appended().size(), " ",
                        rows.bag_corrections.appended().size(), " ",
                        rows.bag_moves.appended().size(), " ",
                        rows.stocktakes.appended().size(), " ",
                        rows.stocktake_lines.appended().size(), " ",
                        audit_entries);
  }

  const Uuid other = AddLocation("Store B", /*herb_section=*/false);
  const Uuid lot = AddItem(v1::MATERIAL_KIND_TEALINE, 99);
};

TEST_CASE("a stocktake tells and books every difference, by barcode") {
  Store store;
  const std::string agreeing = store.NewBag(10'000);
  const std::string seen = store.NewBag(10'000);
  const std::string shorter = store.NewBag(10'000);
  const std::string over = store.NewBag(10'000);
  const std::string missing = store.NewBag(5'000);
  v1::BagReceipt elsewhere = store.Receipt(store.lot, 10'000);
  elsewhere.set_location("Store B");
  const std::string misplaced = store.Receive(elsewhere)->barcode();
  const std::string unknown = "0198b7a2-1111-7000-8000-000000000001";

  v1::RecordStocktakeRequest request = store.At();
  Store::Count(request, "tealine:" + agreeing, 10'000);
  Store::Count(request, seen);
  Store::Count(request, shorter, 9'000);
  Store::Count(request, over, 10'250);
  Store::Count(request, misplaced, 9'500);
  Store::Count(request, unknown, 7'000);

  std::map<std::string, v1::StocktakeFinding> expected = {
      {shorter, v1::STOCKTAKE_FINDING_SHORT},
      {over, v1::STOCKTAKE_FINDING_OVER},
      {missing, v1::STOCKTAKE_FINDING_MISSING},
      {misplaced, v1::STOCKTAKE_FINDING_MISPLACED},
      {unknown, v1::STOCKTAKE_FINDING_UNKNOWN}};
  const auto check_lines = [&](const v1::RecordStocktakeResponse& response) {
    std::map<std::string, v1::StocktakeFinding> found;
    int64_t sum = 0;
    std::string last;
    for (const v1::StocktakeLine& line : response.differences()) {
      found[line.barcode()] = line.finding();
      sum += line.difference_grams();
      CHECK(last < line.barcode());
      last = line.barcode();
      if (line.barcode() == misplaced) {
        CHECK(line.book_location() == "Store B");
        CHECK(line.book_grams() == 10'000);
        CHECK(line.counted_grams() == 9'500);
        CHECK(line.difference_grams() == -500);
      }
    }
    CHECK(found == expected);
    CHECK(sum == response.difference_grams());
    CHECK(response.counted_bag_count() == 6);
    CHECK(response.agreeing_bag_count() == 2);
  };

  const std::string before = store.Book();
  request.set_validate_only(true);
  const auto shown = store.Record(request);
  REQUIRE(shown.ok());
  check_lines(*shown);
  CHECK_FALSE(shown->booked());
  CHECK(shown->stocktake_id().empty());
  CHECK(shown->difference_grams() == -1'000 + 250 - 500);
  CHECK(store.Book() == before);

  request.set_validate_only(false);
  SECTION("what is missing is told alone") {
    const auto booked = store.Record(request);
    REQUIRE(booked.ok());
    check_lines(*booked);
    CHECK(booked->difference_grams() == -1'250);
    CHECK(store.BagOf(missing).remaining_grams == 5'000);
    CHECK(store.rows.write_offs.appended().size() == 2);
  }
  SECTION("or written off, if asked") {
    request.set_write_off_missing(true);
    const auto booked = store.Record(request);
    REQUIRE(booked.ok());
    check_lines(*booked);
    CHECK(booked->difference_grams() == -6'250);
    CHECK(store.BagOf(missing).remaining_grams == 0);
    CHECK(store.BagOf(missing).status == v1::BAG_STATUS_PROCESSED);
    CHECK(store.rows.write_offs.appended().size() == 3);
  }
  CHECK(store.BagOf(agreeing).remaining_grams == 10'000);
  CHECK(store.BagOf(shorter).remaining_grams == 9'000);
  CHECK(store.BagOf(shorter).written_off_grams == 1'000);
  CHECK(store.BagOf(shorter).net_grams == 10'000);
  CHECK(store.BagOf(over).remaining_grams == 10'250);
  CHECK(store.BagOf(over).net_grams == 10'250);
  CHECK(store.BagOf(over).status == v1::BAG_STATUS_ACCEPTED);
  CHECK(store.BagOf(misplaced).location == "Store A");
  CHECK(store.BagOf(misplaced).remaining_grams == 9'500);
  CHECK(store.rows.items.Find(store.lot)->received_grams == 55'250);
  const Stocktake& kept = store.rows.stocktakes.appended().at(0);
  for (const WriteOff& loss : store.rows.write_offs.appended()) {
    CHECK(loss.reason == v1::WRITE_OFF_REASON_STOCKTAKE);
    CHECK(loss.remarks == "end of the month");
    CHECK(loss.stocktake_id == kept.stocktake_id);
  }
  CHECK(store.rows.bag_corrections.appended().at(0).stocktake_id ==
        kept.stocktake_id);
  // Those that agree are kept, too.
  CHECK(store.rows.stocktake_lines.appended().size() == 7);
  CHECK(kept.agreeing_bag_count == 2);
}

TEST_CASE("a second count of the same finds nothing to book") {
  Store store;
  const std::string bag = store.NewBag(10'000);
  v1::RecordStocktakeRequest request = store.At();
  Store::Count(request, bag, 9'000);
  REQUIRE(store.Record(request).ok());
  const auto again = store.Record(request);
  REQUIRE(again.ok());
  CHECK(again->booked());
  CHECK(again->differences_size() == 0);
  CHECK(again->agreeing_bag_count() == 1);
  CHECK(store.rows.write_offs.appended().size() == 1);
}

TEST_CASE("empty bags and bags that left are not missed") {
  Store store;
  const std::string gone = store.NewBag(10'000);
  v1::DispatchBagRequest dispatch;
  dispatch.set_barcode(gone);
  dispatch.set_reason("sold");
  REQUIRE(store.Run(DecideDispatchBag, dispatch).ok());
  const std::string empty = store.NewBag(10'000);
  v1::AllocateToShipmentRequest allocate;
  allocate.set_barcode(empty);
  store.AddShipment(17, 50'000).To(allocate.mutable_shipment());
  allocate.set_grams(10'000);
  REQUIRE(store.Run(DecideAllocateToShipment, allocate).ok());
  v1::RecordStocktakeRequest request = store.At();
  request.set_write_off_missing(true);
  const auto nothing = store.Record(request);
  REQUIRE(nothing.ok());
  CHECK(nothing->differences_size() == 0);
  // The empty one stands there, as the book has it.
  Store::Count(request, empty, 0);
  const auto one = store.Record(request);
  REQUIRE(one.ok());
  CHECK(one->agreeing_bag_count() == 1);
}

TEST_CASE(
    "a stocktake is booked whole or not at all, and says by barcode why") {
  Store store;
  store.settings.write_off_limit_grams = 100'000;
  const std::string shorter = store.NewBag(10'000);
  const std::string gone = store.NewBag(10'000);
  v1::DispatchBagRequest dispatch;
  dispatch.set_barcode(gone);
  dispatch.set_reason("sold");
  REQUIRE(store.Run(DecideDispatchBag, dispatch).ok());
  const std::string herb =
      store.Receive(store.AddItem(v1::MATERIAL_KIND_HERBLINE), 10'000)
          ->barcode();
  const Uuid balance_lot =
      store.AddItem(v1::MATERIAL_KIND_BLENDBALANCE, std::nullopt, 20'500);
  const std::string first = store.Receive(balance_lot, 10'000)->barcode();
  const std::string second = store.Receive(balance_lot, 10'000)->barcode();
  const Uuid batch = store.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                                    v1::TRADER_STATE_UNSPECIFIED, 10'000);
  const std::string blend = store.Receive(batch, 10'000)->barcode();
  const std::string heavy = store.NewBag(9'000'000);
  REQUIRE(store.rows.bags.All().size() == 7);

  v1::RecordStocktakeRequest request = store.At();
  Store::Count(request, shorter, 9'000);
  Store::Count(request, gone, 10'000);
  Store::Count(request, herb);
  // Either may have 500 g more, not both.
  Store::Count(request, first, 10'500);
  Store::Count(request, second, 10'500);
  Store::Count(request, blend, 10'201);
  Store::Count(request, heavy, 10'000'000);
  const std::map<std::string, std::string> reasons = {
      {gone, "BAG_DISPATCHED"},
      {herb, "HERB_SECTION_RULE"},
      {std::max(first, second), "EXPECTED_WEIGHT_EXCEEDED"},
      {blend, "BATCH_OUT_EXCEEDS_IN"},
      {heavy, "BAG_TOO_HEAVY"}};

  const std::string before = store.Book();
  const auto refused = store.Record(request);
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  std::map<std::string, std::string> told;
  const google::rpc::PreconditionFailure failure = FailureOf(refused.status());
  for (const auto& violation : failure.violations())
    told[violation.subject()] = violation.type();
  CHECK(told == reasons);
  CHECK(store.Book() == before);

  request.set_validate_only(true);
  const auto shown = store.Record(request);
  REQUIRE(shown.ok());
  told.clear();
  for (const v1::StocktakeLine& line : shown->differences()) {
    if (line.finding() != v1::STOCKTAKE_FINDING_REFUSED) continue;
    told[line.barcode()] = ReasonOf(line.error());
    CHECK(line.difference_grams() == 0);
  }
  CHECK(told == reasons);
  CHECK(shown->difference_grams() == -1'000 + 500);
  CHECK(store.Book() == before);
}

TEST_CASE("what is over the limit of a write-off takes the admin") {
  Store store;
  store.settings.write_off_limit_grams = 2'000;
  const std::string shorter = store.NewBag(10'000);
  const std::string missing = store.NewBag(3'000);
  v1::RecordStocktakeRequest request = store.At();
  request.set_write_off_missing(true);
  Store::Count(request, shorter, 7'999);
  const auto refused = store.Record(request);
  CHECK(ReasonOf(refused) == "WRITE_OFF_OVER_LIMIT");
  CHECK(refused.status().code() == absl::StatusCode::kPermissionDenied);
  request.set_validate_only(true);
  const auto shown = store.Record(request);
  REQUIRE(shown.ok());
  REQUIRE(shown->differences_size() == 2);
  for (const v1::StocktakeLine& line : shown->differences()) {
    CHECK(line.finding() == v1::STOCKTAKE_FINDING_REFUSED);
    CHECK(ReasonOf(line.error()) == "WRITE_OFF_OVER_LIMIT");
  }
  request.set_validate_only(false);
  request.mutable_counts(0)->set_remaining_grams(8'000);
  CHECK(ReasonOf(store.Record(request)) == "WRITE_OFF_OVER_LIMIT");
  store.role = options::v1::ROLE_SEEDUWA_ADMIN;
  request.mutable_counts(0)->set_remaining_grams(0);
  CHECK(store.Record(request).ok());
  CHECK(store.BagOf(shorter).remaining_grams == 0);
  CHECK(store.BagOf(missing).remaining_grams == 0);
}

TEST_CASE("every barcode is counted once, and the place is known") {
  Store store;
  const std::string bag = store.NewBag(10'000);
  v1::RecordStocktakeRequest request = store.At();
  Store::Count(request, bag);
  Store::Count(request, "tealine:" + bag, 5);
  CHECK(ReasonOf(store.Record(request)) == "INVALID_FIELDS");
  CHECK(ReasonOf(store.Record(store.At("Nowhere"))) == "LOCATION_NOT_FOUND");
}

TEST_CASE("a label of another kind is unknown, and its bag is not missing") {
  Store store;
  const std::string bag = store.NewBag(10'000);
  v1::RecordStocktakeRequest request = store.At();
  request.set_write_off_missing(true);
  Store::Count(request, "herbline:" + bag, 1);
  const auto booked = store.Record(request);
  REQUIRE(booked.ok());
  REQUIRE(booked->differences_size() == 1);
  CHECK(booked->differences(0).finding() == v1::STOCKTAKE_FINDING_UNKNOWN);
  CHECK(store.BagOf(bag).remaining_grams == 10'000);
}

}  // namespace
TEST_CASE("a reply tells of 1,000 differences, what is refused first") {
  Store store;
  v1::RecordStocktakeRequest request = store.At();
  constexpr int kUnknown = 1'100;
  for (int i = 0; i < kUnknown; ++i) {
    // Before the barcode of any bag of the book.
    Store::Count(request, absl::StrFormat("00000000-1111-7000-8000-%012d", i));
  }
  const std::string herb =
      store.Receive(store.AddItem(v1::MATERIAL_KIND_HERBLINE), 10'000)
          ->barcode();
  Store::Count(request, herb);
  request.set_validate_only(true);
  const auto shown = store.Record(request);
  REQUIRE(shown.ok());
  REQUIRE(shown->differences_size() == 1'000);
  CHECK(shown->differences(0).barcode() == herb);
  CHECK(shown->differences(0).finding() == v1::STOCKTAKE_FINDING_REFUSED);
  CHECK(shown->difference_count() == kUnknown + 1);
  CHECK(shown->counted_bag_count() == kUnknown + 1);
  CHECK(shown->agreeing_bag_count() == 0);
}

}  // namespace mtp::processing
