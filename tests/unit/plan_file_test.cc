#include "order_service/plan_file.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace mtp::order {
namespace {

v1::PlanRow RowOf(const std::string& order_code, const std::string& item_code,
                  int64_t line) {
  v1::PlanRow row;
  row.set_line_number(line);
  row.set_order_code(order_code);
  row.set_item_code(item_code);
  row.set_production_date("2026-11-05");
  row.set_stock("38,456");
  row.set_requirement("4,240.00");
  row.set_product_code("JG100TBX");
  row.set_product_name("Jasmine Green 100TB x 6");
  row.set_plan_start("2026-11-08");
  row.set_plan_end("2026-11-21");
  return row;
}

PlanRows OneOrder() {
  PlanRows rows;
  *rows.Add() = RowOf("SO25015", "JA728-02", 2);
  *rows.Add() = RowOf("SO25015", "JA728", 3);
  *rows.Add() = RowOf("SO25015", "JA728-01", 4);
  return rows;
}

// The one fault that the change makes.
v1::BadRow FaultOf(int index, const std::function<void(v1::PlanRow&)>& change) {
  PlanRows rows = OneOrder();
  change(*rows.Mutable(index));
  const PlanFile file = JudgePlanFile(rows);
  CHECK(file.plans.empty());
  CHECK(file.bad_row_count == 1);
  REQUIRE(file.faults.size() == 1);
  CHECK(file.faults[0].told.line_number() == index + 2);
  CHECK_FALSE(file.faults[0].told.message().empty());
  return file.faults[0].told;
}

// The records of a CSV file whose quotes are all closed.
std::vector<std::vector<std::string>> Records(const std::string& text) {
  std::vector<std::vector<std::string>> records(1, std::vector<std::string>(1));
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      records.back().emplace_back();
    } else if (c == '\n' && !quoted) {
      records.emplace_back(1);
    } else if (c != '\r') {
      records.back().back().push_back(c);
    }
  }
  records.pop_back();  // the file ends with a line end
  return records;
}

PlanRows RowsOfSample() {
  std::ifstream file(MTP_SOURCE_DIR "/deploy/local/sample/plan-november.csv",
                     std::ios::binary);
  REQUIRE(file.is_open());
  std::string text((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(text.starts_with("\xef\xbb\xbf"));
  const auto records = Records(text.substr(3));
  PlanRows rows;
  for (size_t i = 1; i < records.size(); ++i) {
    v1::PlanRow* row = rows.Add();
    row->set_line_number(static_cast<int64_t>(i) + 1);
    REQUIRE(records[i].size() == records[0].size());
    for (size_t column = 0; column < records[0].size(); ++column) {
      const auto* field =
          v1::PlanRow::descriptor()->FindFieldByName(records[0][column]);
      REQUIRE(field != nullptr);
      row->GetReflection()->SetString(row, field, records[i][column]);
    }
  }
  return rows;
}

TEST_CASE("the planning department's export is read without a fault") {
  const PlanFile file = JudgePlanFile(RowsOfSample());
  CHECK(file.faults.empty());
  CHECK(file.bad_row_count == 0);
  CHECK(file.plan_count == 40);
  REQUIRE(file.plans.size() == 40);
  CHECK(file.plans[15] == FilePlan{.order_code = "SO25015",
                                   .item_code = "JA728",
                                   .product_name = "Jasmine Green 100TB x 6",
                                   .requirement_grams = 4'240'000,
                                   .plan_start = absl::CivilDay(2026, 11, 8),
                                   .plan_end = absl::CivilDay(2026, 11, 21),
                                   .line = 2});
}

TEST_CASE("rows of an order make one plan, its item the stem of theirs") {
  const PlanFile file = JudgePlanFile(OneOrder());
  CHECK(file.faults.empty());
  REQUIRE(file.plans.size() == 1);
  CHECK(file.plans[0].item_code == "JA728");
  CHECK(file.plans[0].requirement_grams == 4'240'000);
  CHECK(file.plans[0].line == 2);
}

TEST_CASE("a bad cell is told by line, column, value and reason") {
  SECTION("an empty order code") {
    const v1::BadRow told =
        FaultOf(1, [](auto& row) { row.set_order_code(" "); });
    CHECK(told.column() == "order_code");
    CHECK(told.value() == " ");
    CHECK(told.reason() == v1::BAD_ROW_REASON_EMPTY);
  }
  SECTION("a code with a blank in it") {
    const v1::BadRow told =
        FaultOf(0, [](auto& row) { row.set_item_code("JA 728"); });
    CHECK(told.column() == "item_code");
    CHECK(told.reason() == v1::BAD_ROW_REASON_MALFORMED);
  }
  SECTION("a long code, told in its first 200 characters") {
    const v1::BadRow told = FaultOf(
        2, [](auto& row) { row.set_order_code(std::string(300, 'A')); });
    CHECK(told.reason() == v1::BAD_ROW_REASON_TOO_LONG);
    CHECK(told.value() == std::string(200, 'A'));
  }
  SECTION("a long name, counted and cut between characters") {
    std::string name;
    for (int i = 0; i < 201; ++i) name += "\xe0\xb6\xad";
    const v1::BadRow told =
        FaultOf(0, [&](auto& row) { row.set_product_name(name); });
    CHECK(told.reason() == v1::BAD_ROW_REASON_TOO_LONG);
    CHECK(told.value() == name.substr(0, 600));
  }
  SECTION("a text that is kept as it came, and is too long for it") {
    const v1::BadRow told = FaultOf(
        0, [](auto& row) { row.set_sub_location(std::string(1001, 'x')); });
    CHECK(told.column() == "sub_location");
    CHECK(told.reason() == v1::BAD_ROW_REASON_TOO_LONG);
    CHECK(told.value() == std::string(200, 'x'));
  }
  SECTION("a requirement of nothing") {
    const v1::BadRow told =
        FaultOf(0, [](auto& row) { row.set_requirement("0.000"); });
    CHECK(told.column() == "requirement");
    CHECK(told.reason() == v1::BAD_ROW_REASON_OUT_OF_RANGE);
  }
  SECTION("a stock that is no whole number") {
    const v1::BadRow told =
        FaultOf(0, [](auto& row) { row.set_stock("many"); });
    CHECK(told.column() == "stock");
    CHECK(told.reason() == v1::BAD_ROW_REASON_NOT_A_NUMBER);
  }
  SECTION("a date that no calendar has") {
    const v1::BadRow told =
        FaultOf(0, [](auto& row) { row.set_plan_start("2026-02-30"); });
    CHECK(told.column() == "plan_start");
    CHECK(told.reason() == v1::BAD_ROW_REASON_NO_SUCH_DATE);
  }
}

TEST_CASE("rows of an order that disagree are told, those in the minority") {
  SECTION("on the requirement, however it is written") {
    CHECK(JudgePlanFile([] {
            PlanRows rows = OneOrder();
            rows.Mutable(0)->set_requirement("4240");
            return rows;
          }())
              .faults.empty());
    const v1::BadRow told =
        FaultOf(0, [](auto& row) { row.set_requirement("4,240.01"); });
    CHECK(told.reason() == v1::BAD_ROW_REASON_DISAGREES);
    CHECK(told.message() == "line 3 of SO25015 says 4,240.00");
  }
  SECTION("on the product") {
    CHECK(FaultOf(1, [](auto& row) {
            row.set_product_name("Other");
          }).column() == "product_name");
    CHECK(FaultOf(1, [](auto& row) {
            row.set_product_code("Other");
          }).column() == "product_code");
  }
  SECTION("on the dates") {
    CHECK(FaultOf(2, [](auto& row) {
            row.set_plan_end("2026-11-22");
          }).column() == "plan_end");
  }
  SECTION("on the stem of their items") {
    const v1::BadRow told =
        FaultOf(2, [](auto& row) { row.set_item_code("JA729-01"); });
    CHECK(told.reason() == v1::BAD_ROW_REASON_OTHER_STEM);
  }
}

TEST_CASE("a plan that ends before it starts is told in every row") {
  PlanRows rows = OneOrder();
  for (v1::PlanRow& row : rows) row.set_plan_end("2026-11-07");
  const PlanFile file = JudgePlanFile(rows);
  REQUIRE(file.faults.size() == 3);
  for (const FileFault& fault : file.faults) {
    CHECK(fault.told.column() == "plan_end");
    CHECK(fault.told.reason() == v1::BAD_ROW_REASON_ENDS_BEFORE_START);
  }
}

TEST_CASE("a line number that comes twice is told") {
  PlanRows rows = OneOrder();
  rows.Mutable(2)->set_line_number(3);
  const PlanFile file = JudgePlanFile(rows);
  REQUIRE(file.faults.size() == 1);
  CHECK(file.faults[0].told.column() == "line_number");
  CHECK(file.faults[0].told.reason() == v1::BAD_ROW_REASON_DUPLICATE);
}

TEST_CASE("every fault of a row is told, in the order of the columns") {
  PlanRows rows;
  rows.Add()->set_line_number(2);
  const PlanFile file = JudgePlanFile(rows);
  std::vector<std::string> columns;
  for (const FileFault& fault : file.faults) {
    CHECK(fault.told.reason() == v1::BAD_ROW_REASON_EMPTY);
    columns.push_back(fault.told.column());
  }
  CHECK(columns == std::vector<std::string>{"order_code", "item_code",
                                            "requirement", "product_name",
                                            "plan_start", "plan_end"});
  CHECK(file.bad_row_count == 1);
  CHECK(file.plan_count == 0);
}

TEST_CASE("a blend's code may itself end like a suffix") {
  PlanRows rows;
  *rows.Add() = RowOf("A", "AB-12", 2);
  *rows.Add() = RowOf("A", "AB-12-01", 3);
  *rows.Add() = RowOf("B", "CD-01", 4);
  *rows.Add() = RowOf("B", "CD-02", 5);
  *rows.Add() = RowOf("C", "EF-07", 6);
  const PlanFile file = JudgePlanFile(rows);
  REQUIRE(file.plans.size() == 3);
  CHECK(file.plans[0].item_code == "AB-12");
  CHECK(file.plans[1].item_code == "CD");
  CHECK(file.plans[2].item_code == "EF");
}

TEST_CASE("one bad row among a thousand is found, wherever it stands") {
  std::mt19937 random(11);
  for (int run = 0; run < 50; ++run) {
    PlanRows rows;
    for (int i = 0; i < 1000; ++i) {
      *rows.Add() =
          RowOf("SO" + std::to_string(i / 5),
                i % 5 == 0 ? "IT" : "IT-0" + std::to_string(i % 5), i + 2);
    }
    const int bad = std::uniform_int_distribution<int>(0, 999)(random);
    rows.Mutable(bad)->set_requirement("4,24O.00");
    const PlanFile file = JudgePlanFile(rows);
    REQUIRE(file.faults.size() == 1);
    CHECK(file.faults[0].told.line_number() == bad + 2);
    CHECK(file.bad_row_count == 1);
    CHECK(file.plan_count == 200);
    CHECK(file.plans.empty());
  }
}

TEST_CASE("the order of the rows makes no difference") {
  std::mt19937 random(13);
  const PlanRows sample = RowsOfSample();
  for (int run = 0; run < 20; ++run) {
    PlanRows rows = sample;
    for (int damage = 0; damage < run; ++damage) {
      v1::PlanRow* row = rows.Mutable(
          std::uniform_int_distribution<int>(0, rows.size() - 1)(random));
      switch (damage % 4) {
        case 0:
          row->set_requirement("1.5");
          break;
        case 1:
          row->set_item_code("ZZ1");
          break;
        case 2:
          row->set_plan_end("");
          break;
        default:
          row->set_order_code("SO25001");
      }
    }
    const PlanFile one = JudgePlanFile(rows);
    std::vector<int> places(rows.size());
    std::iota(places.begin(), places.end(), 0);
    std::shuffle(places.begin(), places.end(), random);
    PlanRows shuffled;
    for (const int place : places) *shuffled.Add() = rows[place];
    const PlanFile other = JudgePlanFile(shuffled);

    CHECK(one.plans == other.plans);
    REQUIRE(one.faults.size() == other.faults.size());
    for (size_t i = 0; i < one.faults.size(); ++i) {
      CHECK(one.faults[i].told.SerializeAsString() ==
            other.faults[i].told.SerializeAsString());
    }
    std::set<int64_t> bad_lines;
    for (const FileFault& fault : one.faults)
      bad_lines.insert(fault.told.line_number());
    CHECK(one.bad_row_count == static_cast<int64_t>(bad_lines.size()));
    CHECK(one.plans.empty() == !one.faults.empty());
  }
}

}  // namespace
}  // namespace mtp::order
