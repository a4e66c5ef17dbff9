#include "processing_service/labels.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "common/base/protos.h"
#include "processing_service/printed_words.h"
#include "tests/support/papers.h"
#include "tests/unit/plant_fonts.h"

namespace mtp::processing {
namespace {

constexpr char kBarcode[] = "0198b7a2-1111-7000-8000-000000000001";

v1::Bag TeaBag() {
  v1::Bag bag;
  bag.set_barcode(kBarcode);
  bag.set_kind(v1::MATERIAL_KIND_TEALINE);
  bag.set_source_code("T-2026-014");
  bag.set_source_name("Kenmare BOPF I-118");
  bag.set_location("Store A");
  bag.set_gross_grams(1'050'750);
  bag.set_tare_grams(500);
  bag.set_net_grams(1'050'250);
  bag.set_bag_number(12);
  *bag.mutable_occurred_at() =
      ToProto(absl::FromCivil(absl::CivilMinute(2026, 11, 8, 14, 5),
                              absl::FixedTimeZone(5 * 3600 + 1800)));
  return bag;
}

const absl::TimeZone kColombo = absl::FixedTimeZone(5 * 3600 + 1800);

std::vector<std::string> LinesOf(const v1::GetBagLabelResponse& label) {
  return {label.lines().begin(), label.lines().end()};
}

TEST_CASE("a label says what the bag is, in the plant's own time") {
  const v1::GetBagLabelResponse label = LabelOf(TeaBag(), kColombo);
  CHECK(label.code() == std::string("tealine:") + kBarcode);
  CHECK(LinesOf(label) ==
        std::vector<std::string>{"Tealine T-2026-014", "Kenmare BOPF I-118",
                                 "Bag 12", "Net 1,050.250 kg",
                                 "Gross 1,050.750 kg", "Tare 0.500 kg",
                                 "Store A", "2026-11-08 14:05"});
  CHECK(label.bag().barcode() == kBarcode);
  CHECK(label.image().empty());
}

TEST_CASE("the label of a herb has the supplier's reference, too") {
  v1::Bag bag = TeaBag();
  bag.set_kind(v1::MATERIAL_KIND_HERBLINE);
  bag.set_reference("LG/7");
  const v1::GetBagLabelResponse label = LabelOf(bag, kColombo);
  CHECK(label.code() == std::string("herbline:") + kBarcode);
  CHECK(label.lines(label.lines_size() - 1) == "LG/7");
}

TEST_CASE("weights are written to the gram") {
  CHECK(WeightText(0) == "0.000 kg");
  CHECK(WeightText(7) == "0.007 kg");
  CHECK(WeightText(999'999) == "999.999 kg");
  CHECK(WeightText(1'000'000) == "1,000.000 kg");
  CHECK(WeightText(1'234'567'890) == "1,234,567.890 kg");
}

// Whether all of it is on the label.
bool Fits(const print::Picture& picture) {
  bool fits = true;
  const auto look = [&](print::Point point) {
    fits = fits && point.x >= 0 && point.x <= picture.width && point.y >= 0 &&
           point.y <= picture.height;
  };
  picture.black.Walk(
      look, look,
      [&](print::Point first, print::Point second, print::Point to) {
        look(first);
        look(second);
        look(to);
      },
      [] {});
  return fits;
}

TEST_CASE("whatever the names are, the label holds them and its code is read") {
  const std::vector<std::string> names = {
      "Kenmare",
      "Caf\u00e9 \u00c5ngstr\u00f6m \u0141\u00f3d\u017a",
      // Sinhala, Tamil, both with others.
      "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf "
      "\u0dad\u0dda",
      "\u0ba4\u0bc7\u0baf\u0bbf\u0bb2\u0bc8 Uva 250",
      // What no font has, and what is no word at all.
      "\u4e2d\u56fd\u8336 \U0001f375",
      "<&>\"'\\ \uFFFE\uFFFF]]>",
      std::string(400, 'W'),
  };
  for (const std::string& name : names) {
    INFO(name);
    v1::Bag bag = TeaBag();
    // The longest word, with the widest digits.
    bag.set_kind(v1::MATERIAL_KIND_BLENDBALANCE);
    bag.set_barcode("dddddddd-dddd-dddd-dddd-dddddddddddd");
    bag.set_source_name(name);
    bag.set_location(name);
    bag.set_reference(name);
    const v1::GetBagLabelResponse label = LabelOf(bag, kColombo);
    CHECK(label.lines(1) == name);
    const auto picture = PictureOf(label, tests::PlantFonts());
    REQUIRE(picture.ok());
    CHECK(Fits(*picture));
    const auto png = print::AsPng(*picture, 8);
    REQUIRE(png.ok());
    CHECK(tests::CodesInPng(*png) == std::set<std::string>{label.code()});
    CHECK(tests::CodesInSvg(print::AsSvg(*picture)) ==
          std::set<std::string>{label.code()});
  }
}

}  // namespace
}  // namespace mtp::processing
