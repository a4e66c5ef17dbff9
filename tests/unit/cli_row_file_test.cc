#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "catch2/catch.hpp"
#include "cli/failures.h"
#include "cli/row_file.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

constexpr char kHeading[] =
    "lot_code,order_code,item_code,production_date,stock,requirement,location,"
    "product_code,product_name,item_name,sub_location,plan_start,plan_end";
constexpr char kRow[] =
    "L1,SO1,JA728-02,2026-11-05,\"38,456\",\"4,240.00\",GP2,JG100TBX,"
    "Jasmine Green 100TB x 6,Jasmine Green ENVELOPE,A2,2026-11-08,2026-11-21";

// A file that is gone with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    char name[] = "/tmp/mtp_plan_XXXXXX";
    const int file = mkstemp(name);
    REQUIRE(file >= 0);
    close(file);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_CASE("cells are taken as they stand, under the heading's names") {
  const TemporaryFile file(
      absl::StrCat("\xef\xbb\xbf", kHeading, "\r\n", kRow, "\r\n"));
  auto plan = RowFile::Open(file.path(), PlanRows());
  REQUIRE(plan.ok());
  order::v1::ImportPlansRequest request;
  CHECK(*(*plan)->Read(1000, request) == 1);
  CHECK(*(*plan)->Read(1000, request) == 0);
  const auto& row = request.rows(0);
  CHECK(row.line_number() == 2);
  CHECK(row.requirement() == "4,240.00");
  CHECK(row.stock() == "38,456");
  CHECK(row.plan_end() == "2026-11-21");
  CHECK((*plan)->bytes_read() == (*plan)->bytes());
}

TEST_CASE("the digest is of the whole file as it is") {
  const TemporaryFile file(absl::StrCat(kHeading, "\n"));
  auto plan = RowFile::Open(file.path(), PlanRows());
  REQUIRE(plan.ok());
  CHECK((*plan)->digest().size() == 64);
  const TemporaryFile other(absl::StrCat(kHeading, "\r\n"));
  CHECK((*RowFile::Open(other.path(), PlanRows()))->digest() !=
        (*plan)->digest());
}

TEST_CASE("the heading may be in any order and case, with more columns") {
  const TemporaryFile file(
      "Plan End,colour,LOT_CODE,order_code,item_code,production_date,stock,"
      "requirement,location,product_code,product_name,item_name,sub_location,"
      "plan start\n2026-11-21,red,L1,,,,,,,,,,,2026-11-08\n");
  auto plan = RowFile::Open(file.path(), PlanRows());
  REQUIRE(plan.ok());
  CHECK((*plan)->unknown_columns() == std::vector<std::string>{"colour"});
  order::v1::ImportPlansRequest request;
  CHECK(*(*plan)->Read(1000, request) == 1);
  CHECK(request.rows(0).plan_end() == "2026-11-21");
  CHECK(request.rows(0).lot_code() == "L1");
}

TEST_CASE("a file that is no plan is refused in words") {
  const TemporaryFile file("order_code,item_code\n");
  const auto plan = RowFile::Open(file.path(), PlanRows());
  CHECK(ExitCodeOf(plan.status()) == kUsage);
  CHECK(std::string(plan.status().message()).find("lot_code") !=
        std::string::npos);
  CHECK(ExitCodeOf(RowFile::Open("/nowhere", PlanRows()).status()) == kUsage);
  CHECK(ExitCodeOf(RowFile::Open("/tmp", PlanRows()).status()) == kUsage);
}

TEST_CASE("a row with another number of cells, or not UTF-8, names its line") {
  for (const std::string& row :
       {std::string("L1,SO1"), absl::StrCat(kRow, ",more"),
        absl::StrCat("\xe9", kRow)}) {
    const TemporaryFile file(
        absl::StrCat(kHeading, "\n", kRow, "\n", row, "\n"));
    auto plan = RowFile::Open(file.path(), PlanRows());
    REQUIRE(plan.ok());
    order::v1::ImportPlansRequest request;
    const auto rows = (*plan)->Read(1000, request);
    CHECK(ExitCodeOf(rows.status()) == kUsage);
    CHECK(std::string(rows.status().message()).find("line 3") !=
          std::string::npos);
  }
}

TEST_CASE("opening stock may lack the columns that nobody filled") {
  const TemporaryFile file(
      "Kind,Code,Barcode,Location,Gross\ntealine,T-1,B,Store A,\"1,040.5\"\n");
  auto stock = RowFile::Open(file.path(), OpeningStockRows());
  REQUIRE(stock.ok());
  processing::v1::ImportOpeningStockRequest request;
  CHECK(*(*stock)->Read(1000, request) == 1);
  CHECK(request.rows(0).line_number() == 2);
  CHECK(request.rows(0).gross() == "1,040.5");
  CHECK(request.rows(0).tare().empty());

  const TemporaryFile other("kind,code,location,gross,tare\n");
  const auto refused = RowFile::Open(other.path(), OpeningStockRows());
  CHECK(ExitCodeOf(refused.status()) == kUsage);
  CHECK(std::string(refused.status().message()).find("lacks barcode") !=
        std::string::npos);
}

}  // namespace
}  // namespace mtp::cli
