#include "processing_service/dispatch_notes.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_format.h"
#include "common/base/protos.h"
#include "processing_service/printed_words.h"
#include "tests/support/papers.h"
#include "tests/unit/plant_fonts.h"

namespace mtp::processing {
namespace {

constexpr char kProduct[] =
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf";
constexpr char kGarden[] = "\u0ba4\u0bc7\u0baf\u0bbf\u0bb2\u0bc8";

NoteShipment ShipmentOf(int64_t shipment_code, int bags) {
  NoteShipment one;
  v1::OpenShipment& shipment = one.shipment;
  shipment.mutable_key()->set_request_code(17);
  shipment.mutable_key()->set_shipment_code(shipment_code);
  shipment.set_order_code("SO25015");
  shipment.set_product_name(kProduct);
  shipment.set_item_code("JA728");
  v1::ShipmentDispatch& dispatch = *shipment.mutable_dispatch();
  dispatch.set_dispatch_id("0198b7a2-2222-7000-8000-000000000001");
  dispatch.set_shipment_vehicle("WP-1234");
  *dispatch.mutable_occurred_at() = ToProto(absl::FromCivil(
      absl::CivilMinute(2026, 11, 8, 14, 5), absl::UTCTimeZone()));
  dispatch.mutable_actor()->set_username("nimal");
  dispatch.set_bag_count(bags);
  dispatch.set_dispatched_grams(bags * 25'000);
  dispatch.set_manifest_digest(std::string(32, '\x5a'));
  for (int i = 0; i < bags; ++i) {
    NoteLine& line = one.lines.emplace_back();
    line.grams = 25'000;
    line.bag.set_barcode(
        absl::StrFormat("0198b7a2-3333-7000-8000-%06d%06d", shipment_code, i));
    line.bag.set_kind(v1::MATERIAL_KIND_BLENDSHEET);
    line.bag.set_source_code("BS-1");
    line.bag.set_source_name(kGarden);
    line.bag.set_bag_number(i + 1);
    line.bag.set_net_grams(50'000);
  }
  return one;
}

std::set<std::string> CodesOf(const std::vector<NoteShipment>& shipments) {
  std::set<std::string> codes;
  for (const NoteShipment& one : shipments) {
    codes.insert(KeyText(one.shipment.key()));
    for (const NoteLine& line : one.lines) {
      codes.insert(LabelCode(line.bag.kind(), line.bag.barcode()));
    }
  }
  return codes;
}

std::string NoteOf(const std::vector<NoteShipment>& shipments) {
  const auto pdf =
      DispatchNotePdf(shipments, absl::UTCTimeZone(), tests::PlantFonts());
  REQUIRE(pdf.ok());
  return *pdf;
}

TEST_CASE("a dispatch note says what leaves, with whom and when") {
  const std::string text = tests::TextInPdf(NoteOf({ShipmentOf(1, 2)}));
  for (const std::string& words :
       {std::string("WP-1234"), std::string("2026-11-08 14:05"),
        std::string("nimal"), std::string("17/1"), std::string("SO25015"),
        std::string(kProduct), std::string(kGarden), std::string("JA728"),
        std::string("2 bags, 50.000 kg"), std::string("of 50.000 kg"),
        std::string("0198b7a2-2222-7000-8000-000000000001"),
        std::string("blendsheet:0198b7a2-3333-7000-8000-000001000001"),
        std::string("5a5a5a5a"), std::string("Page 1")}) {
    INFO(words << " in\n" << text);
    CHECK(text.find(words) != std::string::npos);
  }
}

TEST_CASE("a dispatch note names the lorry that each shipment left on") {
  NoteShipment other = ShipmentOf(2, 1);
  other.shipment.mutable_dispatch()->set_shipment_vehicle("CP-9");
  const std::string text = tests::TextInPdf(NoteOf({ShipmentOf(1, 1), other}));
  INFO(text);
  CHECK(text.find("WP-1234, CP-9") != std::string::npos);
  const size_t second = text.find("Shipment 17/2");
  REQUIRE(second != std::string::npos);
  CHECK(text.find("CP-9", second) != std::string::npos);
}

TEST_CASE("all codes on a dispatch note are read, however many pages it has") {
  const std::vector<NoteShipment> shipments = {ShipmentOf(1, 1),
                                               ShipmentOf(2, 40)};
  const std::string pdf = NoteOf(shipments);
  CHECK(tests::PagesInPdf(pdf) > 3);
  CHECK(tests::CodesInPdf(pdf) == CodesOf(shipments));
  const std::string text = tests::TextInPdf(pdf);
  CHECK(text.find("41 bags, 1,025.000 kg") != std::string::npos);
}

TEST_CASE("a lorry of a thousand bags makes a note that a client can receive") {
  // What a gRPC client takes unless it is told to take more.
  constexpr size_t kUsualLimit = 4 << 20;
  CHECK(NoteOf({ShipmentOf(1, 1000)}).size() < kUsualLimit);
}

TEST_CASE("names of any length and script make a note") {
  NoteShipment one = ShipmentOf(1, 1);
  one.shipment.set_product_name(std::string(200, 'W'));
  one.shipment.mutable_dispatch()->set_shipment_vehicle(
      "\u4e2d \U0001f69a \u202e(\\");
  one.shipment.mutable_dispatch()->set_correction_reason(
      std::string(1000, 'x'));
  *one.shipment.mutable_dispatch()->mutable_corrected_at() =
      ToProto(absl::UnixEpoch());
  CHECK(tests::CodesInPdf(NoteOf({one})) == CodesOf({one}));
}

}  // namespace
}  // namespace mtp::processing
