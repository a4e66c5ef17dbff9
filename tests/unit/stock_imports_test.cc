#include "processing_service/stock_imports.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

std::string BarcodeOf(int64_t number) {
  return absl::StrFormat("0198b7a2-4444-7000-8000-%012d", number);
}

// A plant on its first day, and the file of what lies there.
struct FirstDay {
  FirstDay() {
    tea = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, /*bag_limit=*/40);
    herb = seeduwa.AddItem(v1::MATERIAL_KIND_HERBLINE);
    balance = seeduwa.AddItem(v1::MATERIAL_KIND_BLENDBALANCE, std::nullopt,
                              /*gram_limit=*/100'000);
    batch = seeduwa.AddBatch(v1::MATERIAL_KIND_BLENDSHEET,
                             v1::TRADER_STATE_TRADER_ALLOWED, 0);
    seeduwa.rows.recipes.Put({.recipe_id = seeduwa.NewId(),
                              .kind = v1::MATERIAL_KIND_BLENDSHEET,
                              .number = "R-1"});
    file.set_file_name("stock.csv");
    file.set_file_digest(std::string(64, 'A'));
  }

  // A tea bag that nothing is wrong with, in the next line.
  v1::OpeningStockRow& AddRow() {
    v1::OpeningStockRow& row = *file.add_rows();
    row.set_line_number(file.rows_size() + 1);
    row.set_kind("tealine");
    row.set_code("T-1");
    row.set_barcode(BarcodeOf(file.rows_size()));
    row.set_location("Store A");
    row.set_gross("1,025.500");
    row.set_tare("0.5");
    return row;
  }
  v1::OpeningStockRow& AddBatchRow() {
    v1::OpeningStockRow& row = AddRow();
    row.set_kind("blendsheet");
    row.set_code("R-1");
    row.set_batch_number("1");
    return row;
  }

  v1::ImportOpeningStockResponse Import() {
    const auto response = seeduwa.Run(DecideImportOpeningStock, file);
    REQUIRE(response.ok());
    return *response;
  }
  const std::vector<Bag>& bags() const {
    return seeduwa.rows.opening_bags.appended();
  }

  Seeduwa seeduwa;
  Uuid tea, herb, balance, batch;
  v1::ImportOpeningStockRequest file;
};

// As `line column REASON`.
std::vector<std::string> FaultsOf(
    const v1::ImportOpeningStockResponse& response) {
  std::vector<std::string> faults;
  for (const v1::BadRow& row : response.bad_rows()) {
    CHECK_FALSE(row.message().empty());
    faults.push_back(absl::StrCat(row.line_number(), " ", row.column(), " ",
                                  std::string(db::EnumText(row.reason()))));
  }
  return faults;
}
using Faults = std::vector<std::string>;

TEST_CASE("the bags of a good file are in the book with the labels they have") {
  FirstDay day;
  v1::OpeningStockRow& tea = day.AddRow();
  tea.set_kind(" Tealine ");
  tea.set_barcode(absl::StrCat("tealine:", BarcodeOf(1)));
  tea.set_received("08/11/2026");
  tea.set_bag_number("17");
  v1::OpeningStockRow& herb = day.AddRow();
  herb.set_kind("herbline");
  herb.set_location("Herbs 1");
  herb.set_reference("LG/7");
  herb.set_tare("-");
  day.AddBatchRow();
  const auto response = day.Import();
  CHECK(response.stored());
  CHECK_FALSE(response.already_imported());
  CHECK_FALSE(response.import_id().empty());
  CHECK(response.row_count() == 3);
  CHECK(response.bad_rows().empty());
  CHECK(response.net_grams() == 1'025'000 + 1'025'500 + 1'025'000);

  REQUIRE(day.bags().size() == 3);
  const Bag& bag = day.bags()[0];
  CHECK(bag.barcode.ToString() == BarcodeOf(1));
  CHECK(bag.item_id == day.tea);
  CHECK(bag.bag_number == 17);
  CHECK(bag.gross_grams == 1'025'500);
  CHECK(bag.tare_grams == 500);
  CHECK(bag.net_grams == 1'025'000);
  CHECK(bag.remaining_grams == bag.net_grams);
  CHECK(bag.status == v1::BAG_STATUS_ACCEPTED);
  CHECK(bag.opening_stock);
  CHECK(bag.received_at == day.seeduwa.now);
  CHECK(bag.occurred_at ==
        absl::FromCivil(absl::CivilDay(2026, 11, 8), absl::UTCTimeZone()));
  CHECK(day.bags()[1].reference == "LG/7");
  CHECK(day.bags()[1].occurred_at == day.seeduwa.now);
  CHECK(day.bags()[2].batch_id == day.batch);

  // Each lies somewhere, and each is in the trail, as is the file.
  CHECK(day.seeduwa.rows.bag_moves.appended().size() == 3);
  CHECK(day.seeduwa.audit_entries == 4);
  const Item& lot = *day.seeduwa.rows.items.Find(day.tea);
  CHECK(lot.received_bags == 1);
  CHECK(lot.received_grams == 1'025'000);
}

TEST_CASE("what an opening bag of a batch holds went into the batch as well") {
  FirstDay day;
  day.AddBatchRow();
  day.AddBatchRow();
  CHECK(day.Import().stored());
  const Batch& batch = *day.seeduwa.rows.batches.Find(day.batch);
  CHECK(batch.out_bags == 2);
  CHECK(batch.out_grams == 2'050'000);
  CHECK(batch.in_grams == 2'050'000);
  CHECK(batch.opening_grams == 2'050'000);
}

TEST_CASE("bags go on being numbered behind the highest of the opening stock") {
  FirstDay day;
  day.AddRow();
  day.AddRow().set_bag_number("17");
  day.AddRow();
  CHECK(day.Import().stored());
  REQUIRE(day.bags().size() == 3);
  CHECK(day.bags()[0].bag_number == 18);
  CHECK(day.bags()[1].bag_number == 17);
  CHECK(day.bags()[2].bag_number == 19);
  const auto next = day.seeduwa.Receive(day.tea, 25'000);
  REQUIRE(next.ok());
  CHECK(next->bag_number() == 20);
  CHECK(day.seeduwa.rows.items.Find(day.tea)->received_bags == 4);
}

TEST_CASE("every column says what is wrong with it") {
  FirstDay day;
  v1::OpeningStockRow& row = day.AddRow();
  const auto becomes = [&](const char* fault) {
    const auto response = day.Import();
    CHECK_FALSE(response.stored());
    CHECK(response.import_id().empty());
    CHECK(FaultsOf(response) == Faults{fault});
    CHECK(day.bags().empty());
  };
  const std::string long_code(65, 'c');
  const std::string long_text(101, 't');
  SECTION("kind") {
    row.set_kind("");
    becomes("2 kind EMPTY");
    row.set_kind("coffee");
    becomes("2 kind MALFORMED");
  }
  SECTION("code") {
    row.set_code(" ");
    becomes("2 code EMPTY");
    row.set_code(long_code);
    becomes("2 code TOO_LONG");
    row.set_code("T 1");
    becomes("2 code MALFORMED");
    row.set_code("T-2");
    becomes("2 code NOT_FOUND");
  }
  SECTION("batch") {
    row.set_batch_number("1");
    becomes("2 batch_number MALFORMED");
    row.set_kind("blendsheet");
    becomes("2 code NOT_FOUND");
    row.set_code("R-1");
    row.set_batch_number("-");
    becomes("2 batch_number EMPTY");
    row.set_batch_number("one");
    becomes("2 batch_number NOT_A_NUMBER");
    row.set_batch_number("0");
    becomes("2 batch_number OUT_OF_RANGE");
    row.set_batch_number("2");
    becomes("2 batch_number NOT_FOUND");
  }
  SECTION("barcode") {
    row.set_barcode("");
    becomes("2 barcode EMPTY");
    row.set_barcode("123");
    becomes("2 barcode MALFORMED");
    row.set_barcode(absl::StrCat("herbline:", BarcodeOf(1)));
    becomes("2 barcode MALFORMED");
    row.set_barcode("00000000-0000-0000-0000-000000000000");
    becomes("2 barcode MALFORMED");
    row.set_barcode(BarcodeOf(9));
    day.seeduwa.rows.taken_barcodes.Put({*Uuid::Parse(BarcodeOf(9))});
    becomes("2 barcode ALREADY_EXISTS");
  }
  SECTION("location") {
    row.set_location("");
    becomes("2 location EMPTY");
    row.set_location(long_text);
    becomes("2 location TOO_LONG");
    row.set_location("Store\tA");
    becomes("2 location MALFORMED");
    row.set_location("Store B");
    becomes("2 location NOT_FOUND");
    row.set_location("Herbs 1");
    becomes("2 location HERB_SECTION_RULE");
    row.set_location("Store A");
    row.set_kind("herbline");
    becomes("2 location HERB_SECTION_RULE");
  }
  SECTION("weights") {
    row.set_gross("");
    becomes("2 gross EMPTY");
    row.set_gross("much");
    becomes("2 gross NOT_A_NUMBER");
    row.set_gross("1.0005");
    becomes("2 gross TOO_PRECISE");
    row.set_gross("10,000.001");
    becomes("2 gross OUT_OF_RANGE");
    row.set_gross("0");
    becomes("2 gross OUT_OF_RANGE");
    row.set_gross("0.5");
    becomes("2 gross OUT_OF_RANGE");
    row.set_gross("5");
    row.set_tare("-1");
    becomes("2 tare OUT_OF_RANGE");
    row.set_tare("light");
    becomes("2 tare NOT_A_NUMBER");
  }
  SECTION("bag number") {
    row.set_bag_number("0");
    becomes("2 bag_number OUT_OF_RANGE");
    row.set_bag_number("1.5");
    becomes("2 bag_number NOT_A_NUMBER");
    row.set_bag_number("7");
    day.seeduwa.rows.taken_bag_numbers.Put(
        {v1::MATERIAL_KIND_TEALINE, "T-1", 0, 7});
    becomes("2 bag_number ALREADY_EXISTS");
  }
  SECTION("reference") {
    row.set_reference("LG/7");
    becomes("2 reference MALFORMED");
    row.set_kind("herbline");
    row.set_location("Herbs 1");
    row.set_reference(long_text);
    becomes("2 reference TOO_LONG");
  }
  SECTION("received") {
    row.set_received("soon");
    becomes("2 received NOT_A_DATE");
    row.set_received("2026-02-30");
    becomes("2 received NO_SUCH_DATE");
    row.set_received("1899-12-31");
    becomes("2 received OUT_OF_RANGE");
    // The day of the import is 15 January 2027.
    row.set_received("2027-01-16");
    becomes("2 received OUT_OF_RANGE");
    row.set_received("2027-01-15");
    CHECK(day.Import().stored());
  }
}

TEST_CASE("the day of the import is the plant's, not Greenwich's") {
  FirstDay day;
  // 15 January 2027, 08:00 UTC.
  day.seeduwa.settings.time_zone = absl::FixedTimeZone(17 * 3600);
  day.AddRow().set_received("2027-01-16");
  CHECK(day.Import().stored());
}

TEST_CASE("all faults of a file are told at once, by line and column") {
  FirstDay day;
  day.AddRow().set_kind("coffee");
  v1::OpeningStockRow& worst = day.AddRow();
  worst.Clear();
  worst.set_line_number(3);
  day.AddRow();
  const auto response = day.Import();
  CHECK(FaultsOf(response) == Faults{"2 kind MALFORMED", "3 kind EMPTY",
                                     "3 code EMPTY", "3 barcode EMPTY",
                                     "3 location EMPTY", "3 gross EMPTY"});
  CHECK(response.fault_count() == 6);
  CHECK(response.bad_row_count() == 2);
  CHECK(response.row_count() == 3);
  CHECK(response.net_grams() == 1'025'000);
  CHECK(response.bad_rows(0).value() == "coffee");
  CHECK(day.seeduwa.rows.stock_faults.appended().size() == 6);
  CHECK(day.seeduwa.audit_entries == 1);
}

TEST_CASE("what a file says twice is told of the later line") {
  FirstDay day;
  day.AddRow().set_bag_number("5");
  v1::OpeningStockRow& again = day.AddRow();
  again.set_bag_number("5");
  again.set_barcode(BarcodeOf(1));
  day.AddRow().set_line_number(3);
  const auto response = day.Import();
  CHECK(FaultsOf(response) == Faults{"3 line_number DUPLICATE",
                                     "3 barcode DUPLICATE",
                                     "3 bag_number DUPLICATE"});
}

TEST_CASE("numbers of one batch or item say nothing of another's") {
  FirstDay day;
  day.AddRow().set_bag_number("5");
  day.AddBatchRow().set_bag_number("5");
  CHECK(day.Import().stored());
}

TEST_CASE("the rows beyond what was invoiced or expected are told") {
  FirstDay day;
  day.seeduwa.rows.items.Edit(*day.seeduwa.rows.items.Find(day.tea))
      .received_bags = 39;
  day.AddRow();
  day.AddRow();
  for (int i = 0; i < 2; ++i) {
    v1::OpeningStockRow& row = day.AddRow();
    row.set_kind("blendbalance");
    row.set_gross(i == 0 ? "100.5" : "0.501");
  }
  CHECK(FaultsOf(day.Import()) == Faults{"3 code INVOICED_BAGS_RECEIVED",
                                         "5 gross EXPECTED_WEIGHT_EXCEEDED"});
}

TEST_CASE("of several items of one code the newest is meant") {
  FirstDay day;
  const Uuid newer = day.seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 40);
  day.seeduwa.rows.items.Edit(*day.seeduwa.rows.items.Find(newer)).created_at =
      day.seeduwa.now;
  day.AddRow();
  CHECK(day.Import().stored());
  CHECK(day.bags()[0].item_id == newer);
}

TEST_CASE("validation of a stock file tells the same and keeps nothing") {
  FirstDay day;
  day.AddRow();
  day.file.set_validate_only(true);
  SECTION("of a good file") {
    const auto response = day.Import();
    CHECK_FALSE(response.stored());
    CHECK(response.import_id().empty());
    CHECK(response.net_grams() == 1'025'000);
  }
  SECTION("of a bad one") {
    day.file.mutable_rows(0)->set_gross("");
    CHECK(FaultsOf(day.Import()) == Faults{"2 gross EMPTY"});
  }
  CHECK(day.bags().empty());
  CHECK(day.seeduwa.rows.stock_imports.All().empty());
  CHECK(day.seeduwa.rows.stock_faults.appended().empty());
  CHECK(day.seeduwa.rows.items.Find(day.tea)->received_bags == 0);
  CHECK(day.seeduwa.audit_entries == 0);
}

TEST_CASE("a stock file that was stored before changes nothing") {
  FirstDay day;
  day.AddRow();
  const auto first = day.Import();
  REQUIRE(first.stored());
  day.file.set_file_digest(std::string(64, 'a'));
  day.file.set_validate_only(GENERATE(false, true));
  const auto again = day.Import();
  CHECK(again.already_imported());
  CHECK(again.stored());
  CHECK(again.import_id() == first.import_id());
  CHECK(again.row_count() == 1);
  CHECK(again.net_grams() == first.net_grams());
  CHECK(day.bags().size() == 1);
}

TEST_CASE("a stock import needs a digest, and has a limit of rows") {
  FirstDay day;
  day.AddRow();
  day.AddRow();
  const auto refused = [&] {
    return errors::Reason(
        day.seeduwa.Run(DecideImportOpeningStock, day.file).status());
  };
  day.file.set_file_digest(std::string(64, 'x'));
  CHECK(refused() == "INVALID_FIELDS");
  day.file.set_file_digest(std::string(64, '1'));
  day.seeduwa.settings.stock_import_row_limit = 1;
  CHECK(refused() == "IMPORT_TOO_LARGE");
}

TEST_CASE("of very many faults a reply tells a thousand and counts all") {
  FirstDay day;
  for (int i = 0; i < 1'200; ++i) day.AddRow().set_gross("");
  const auto response = day.Import();
  CHECK(response.bad_rows_size() == 1'000);
  // Beyond the invoiced bags, too.
  CHECK(response.fault_count() == 1'200 + 1'160);
  CHECK(response.bad_row_count() == 1'200);
  CHECK(day.seeduwa.rows.stock_faults.appended().size() == 2'360);
}

// Whatever comes in whatever order: it is all there or nothing is, every gram
// of a good file is in the book once, and no two bags have a number in common.
TEST_CASE("opening stock loses and invents no gram, in any order of its rows") {
  std::mt19937 random(20'261'108);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  int stored = 0;
  for (int round = 0; round < 200; ++round) {
    FirstDay day;
    const int rows = 1 + below(45);
    int64_t net_grams = 0;
    for (int i = 0; i < rows; ++i) {
      v1::OpeningStockRow& row =
          below(3) == 0 ? day.AddBatchRow() : day.AddRow();
      const int64_t grams = 1 + below(9'000'000);
      net_grams += grams;
      row.set_gross(absl::StrFormat("%d.%03d", (grams + 500) / 1000,
                                    (grams + 500) % 1000));
      if (below(4) == 0) row.set_bag_number(std::to_string(1 + below(300)));
    }
    std::shuffle(day.file.mutable_rows()->begin(),
                 day.file.mutable_rows()->end(), random);
    const auto response = day.Import();
    REQUIRE(response.stored() == (response.fault_count() == 0));
    int64_t bag_grams = 0;
    std::set<std::pair<Uuid, int64_t>> numbers;
    for (const Bag& bag : day.bags()) {
      bag_grams += bag.net_grams;
      REQUIRE(bag.gross_grams - bag.tare_grams == bag.net_grams);
      REQUIRE(
          numbers
              .insert({bag.item_id.has_value() ? *bag.item_id : *bag.batch_id,
                       bag.bag_number})
              .second);
    }
    const Item& lot = *day.seeduwa.rows.items.Find(day.tea);
    const Batch& batch = *day.seeduwa.rows.batches.Find(day.batch);
    REQUIRE(bag_grams == (response.stored() ? net_grams : 0));
    REQUIRE(lot.received_grams + batch.out_grams == bag_grams);
    REQUIRE(lot.received_bags + batch.out_bags ==
            (response.stored() ? rows : 0));
    REQUIRE(lot.received_bags <= 40);
    REQUIRE(batch.in_grams == batch.out_grams);
    stored += response.stored();
  }
  CHECK(stored > 20);
  CHECK(stored < 200);
}

}  // namespace
}  // namespace mtp::processing
