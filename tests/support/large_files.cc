#include "tests/support/large_files.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_format.h"

namespace mtp::tests {

TemporaryFile::TemporaryFile(const std::string& content) {
  char name[] = "/tmp/mtp_file_XXXXXX";
  const int file = mkstemp(name);
  REQUIRE(file >= 0);
  close(file);
  path_ = name;
  std::ofstream(path_, std::ios::binary) << content;
}

TemporaryFile::~TemporaryFile() { std::filesystem::remove(path_); }

std::string PlanFile(const std::string& name, int rows) {
  std::string file =
      "\xef\xbb\xbflot_code,order_code,item_code,production_date,stock,"
      "requirement,location,product_code,product_name,item_name,sub_location,"
      "plan_start,plan_end\r\n";
  for (int i = 0; i < rows; ++i) {
    absl::StrAppendFormat(
        &file,
        "L%06d,%s-%d,JA728-%02d,2026-11-05,\"38,456\",\"4,240.00\",GP2,"
        "JG100TBX,Jasmine Green 100TB x 6,Jasmine Green ENVELOPE %d,A2,"
        "08/11/2026,21/11/2026\r\n",
        i, name, i / kRowsOfOrder, i % kRowsOfOrder + 1, i);
  }
  return file;
}

std::string OpenOrderFile(const std::string& name, int rows) {
  std::string file =
      "reference,order_code,quantity,requested_on,special,comments\r\n";
  for (int i = 0; i < rows; ++i) {
    absl::StrAppendFormat(
        &file, "%s-%06d,%s-%d,1.5,05/11/2025,%s,taken over from the ledger\r\n",
        name, i, name, i / kRowsOfOrder, i % 50 == 0 ? "yes" : "no");
  }
  return file;
}

}  // namespace mtp::tests
