#include "catch2/catch.hpp"
#include "cli/station/line.h"

namespace mtp::cli {
namespace {

constexpr char kUuid[] = "0190a1b2-c3d4-7e5f-8a6b-0123456789ab";

StationLine Read(const std::string& text) {
  const auto line = ParseStationLine(text);
  INFO(text << ": " << line.status().ToString());
  REQUIRE(line.ok());
  return *line;
}

std::string Fault(const std::string& text) {
  const auto line = ParseStationLine(text);
  INFO(text);
  REQUIRE_FALSE(line.ok());
  return std::string(line.status().message());
}

TEST_CASE("a scanned line is its barcode, whatever the scanner puts around") {
  const std::string uuid = kUuid;
  CHECK(Read(uuid).barcode == uuid);
  CHECK(Read("tealine:" + uuid).barcode == "tealine:" + uuid);
  CHECK(Read("]C1" + uuid + "\r").barcode == uuid);
  CHECK(Read("]Q3flavorsheet:" + uuid + "\r").barcode == "flavorsheet:" + uuid);
  CHECK(Read("\xEF\xBB\xBF\x02" + uuid + "\x03").barcode == uuid);
  CHECK(Read("TEALINE:0190A1B2-C3D4-7E5F-8A6B-0123456789AB").barcode ==
        "tealine:" + uuid);
  CHECK(Read("  \t\r").IsBlank());
}

TEST_CASE("a barcode may have braces and need no hyphens") {
  const std::string uuid = kUuid;
  const std::string plain = "0190a1b2c3d47e5f8a6b0123456789ab";
  for (const std::string& text :
       {"{" + uuid + "}", plain, "{" + plain + "}", "]C1" + plain,
        std::string("0190A1B2C3D47E5F8A6B0123456789AB")}) {
    INFO(text);
    CHECK(Read(text).barcode == uuid);
  }
  CHECK(Read("tealine:" + plain + " 50kg").barcode == "tealine:" + uuid);
  CHECK(Read("tealine:{" + uuid + "},50kg").first_grams == 50'000);
  // A digit more is another thing.
  CHECK(Fault(plain + "0") != "");
  CHECK(Fault(plain + " " + uuid).find("two barcodes") != std::string::npos);
}

TEST_CASE("where only barcodes are scanned, anything else is no barcode") {
  const auto fault = [](const std::string& text) {
    return std::string(
        ParseStationLine(text, /*barcode_only=*/true).status().message());
  };
  CHECK(fault("rubbish").find("is no barcode") != std::string::npos);
  CHECK(fault("rubbish").find("weight") == std::string::npos);
  CHECK(fault(std::string(kUuid).substr(0, 30)).find("is no barcode") !=
        std::string::npos);
  CHECK(ParseStationLine(kUuid, true).ok());
}

TEST_CASE("a line has a barcode and weights in any order") {
  const std::string uuid = kUuid;
  for (const std::string& text :
       {uuid + " 52.4kg 400g", uuid + ",52.4kg,400g", uuid + ";52.4 kg;400 g\r",
        uuid + "\t52400 g\t0.4kg", "ST,GS,+52.40kg " + uuid + " 400g",
        uuid + " 52,400g 400g", "G 52.4KG 400g " + uuid}) {
    INFO(text);
    const StationLine line = Read(text);
    CHECK(line.barcode == uuid);
    CHECK(line.first_grams == 52'400);
    CHECK(line.second_grams == 400);
    CHECK_FALSE(line.net);
  }
  const StationLine net = Read("ST,NT,+  1,049.98kg");
  CHECK(net.first_grams == 1'049'980);
  CHECK(net.net);
  CHECK(net.barcode.empty());
  // The barcode's last digit is none of the weight's.
  CHECK(Read("0190a1b2-c3d4-7e5f-8a6b-012345678901,524kg").first_grams ==
        524'000);
}

TEST_CASE("a line that could mean something else is not taken") {
  const std::string uuid = kUuid;
  CHECK(Fault(uuid + " " + uuid).find("two barcodes") != std::string::npos);
  CHECK(Fault("US,GS,+52.40kg").find("unsteady") != std::string::npos);
  CHECK(Fault("OL,GS,+99kg").find("too much") != std::string::npos);
  CHECK(Fault(uuid + " 52.4").find("52.4") != std::string::npos);
  CHECK(Fault(uuid + " 52,4kg").find("not a weight") != std::string::npos);
  CHECK(Fault(uuid + " -1kg").find("-1kg") != std::string::npos);
  CHECK(Fault(uuid + " 1kg 2kg 3kg").find("more than two") !=
        std::string::npos);
  CHECK(Fault("coffee:" + uuid).find("coffee") != std::string::npos);
  CHECK(Fault(std::string(kUuid).substr(0, 30)) != "");
  CHECK(Fault(std::string(5000, 'x')).find("too long") != std::string::npos);
  CHECK(Fault(std::string("\xFF\xFE\0x", 4)) != "");
}

}  // namespace
}  // namespace mtp::cli
