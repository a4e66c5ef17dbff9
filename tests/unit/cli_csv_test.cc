#include <sstream>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "cli/csv.h"

namespace mtp::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Reading {
  Rows rows;
  std::vector<int64_t> lines;
  std::string fault;
};

Reading Read(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  Reading reading;
  for (;;) {
    auto record = reader.Next();
    if (!record.ok()) {
      reading.fault = std::string(record.status().message());
      return reading;
    }
    if (!record->has_value()) return reading;
    reading.rows.push_back((*record)->fields);
    reading.lines.push_back((*record)->line);
  }
}

TEST_CASE("a byte order mark is no part of the first field") {
  CHECK(Read("\xef\xbb\xbf"
             "a,b\r\n1,2\r\n")
            .rows == Rows{{"a", "b"}, {"1", "2"}});
}

TEST_CASE("a first field that begins like a byte order mark is kept whole") {
  // U+FB00 begins with the same byte.
  CHECK(Read("\xef\xac\x80,b\n").rows == Rows{{"\xef\xac\x80", "b"}});
}

TEST_CASE("lines end with CR LF, LF, CR or the file") {
  CHECK(Read("a,b\r\nc,d\ne,f\rg,h").rows ==
        Rows{{"a", "b"}, {"c", "d"}, {"e", "f"}, {"g", "h"}});
}

TEST_CASE("quoted fields keep commas, quotes and thousands separators") {
  CHECK(Read("\"4,240.00\",\"say \"\"hi\"\"\",\"\"\n").rows ==
        Rows{{"4,240.00", "say \"hi\"", ""}});
}

TEST_CASE("a quoted line end belongs to the field, and lines are counted on") {
  const Reading reading = Read("a,\"b\r\nc\"\r\nd,e\r\n");
  CHECK(reading.rows == Rows{{"a", "b\r\nc"}, {"d", "e"}});
  CHECK(reading.lines == std::vector<int64_t>{1, 3});
}

TEST_CASE("empty lines are passed over, empty fields are not") {
  const Reading reading = Read("a,b\n\n\n,\n");
  CHECK(reading.rows == Rows{{"a", "b"}, {"", ""}});
  CHECK(reading.lines == std::vector<int64_t>{1, 4});
}

TEST_CASE("an empty file has no rows") {
  CHECK(Read("").rows.empty());
  CHECK(Read("\xef\xbb\xbf").rows.empty());
}

TEST_CASE("a quote that is not closed names the line it began on") {
  CHECK(Read("a\n\"b\nc\n").fault == "line 2: a quote is not closed");
}

TEST_CASE("text behind a closing quote is refused") {
  CHECK(Read("\"a\"b,c\n").fault ==
        "line 1: text stands behind a closing quote");
}

TEST_CASE("a record beyond every spreadsheet is refused") {
  CHECK_FALSE(
      Read(std::string(CsvReader::kRecordLimit + 2, 'x')).fault.empty());
}

}  // namespace
}  // namespace mtp::cli
