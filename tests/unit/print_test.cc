#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/characters.h"
#include "common/print/fonts.h"
#include "common/print/pdf.h"
#include "common/print/picture.h"
#include "common/print/qr_code.h"
#include "tests/support/papers.h"
#include "tests/unit/plant_fonts.h"

namespace mtp::print {
namespace {

using tests::PlantFonts;
using Codes = std::set<std::string>;

Point FirstPoint(const Path& path) {
  std::vector<Point> points;
  path.Walk([&](Point to) { points.push_back(to); }, [](Point) {},
            [](Point, Point, Point) {}, [] {});
  REQUIRE_FALSE(points.empty());
  return points.front();
}

// ක + ේ, and க + ே: written before the letter that they are spoken after.
constexpr char kSinhalaKa[] = "\u0d9a";
constexpr char kSinhalaKe[] = "\u0d9a\u0dda";
constexpr char kTamilKa[] = "\u0b95";
constexpr char kTamilKe[] = "\u0b95\u0bc7";
constexpr char kSriLanka[] =
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf";

TEST_CASE("each script is written by the font that has it") {
  const std::string text =
      absl::StrCat("Kenmare ", kSriLanka, " 12 ", kTamilKe, " caf\u00e9");
  std::vector<size_t> fonts;
  std::string whole;
  for (const FontRun& run : PlantFonts().Split(text)) {
    fonts.push_back(run.font);
    whole += run.text;
  }
  CHECK(whole == text);
  // The number between the two belongs to neither script and stays with the
  // one before it.
  CHECK(fonts == std::vector<size_t>{0, 1, 2, 0});
}

TEST_CASE("vowels that are written before their letter stand before it") {
  const Fonts& fonts = PlantFonts();
  CHECK_FALSE(FirstPoint(fonts.Lay(kSinhalaKe).outlines) ==
              FirstPoint(fonts.Lay(kSinhalaKa).outlines));
  CHECK_FALSE(FirstPoint(fonts.Lay(kTamilKe).outlines) ==
              FirstPoint(fonts.Lay(kTamilKa).outlines));
  CHECK(FirstPoint(fonts.Lay("ab").outlines) ==
        FirstPoint(fonts.Lay("a").outlines));
}

TEST_CASE("text that needs no shaping is told from text that does") {
  const Fonts& fonts = PlantFonts();
  CHECK(fonts.Plain("Uva Seasonal 250 g, caf\u00e9 \u03a9 \u0416"));
  CHECK_FALSE(fonts.Plain(kSriLanka));
  CHECK_FALSE(fonts.Plain(absl::StrCat("Kenmare ", kTamilKe)));
  CHECK_FALSE(fonts.Plain("e\u0301"));     // a mark to be put on its letter
  CHECK_FALSE(fonts.Plain("\U0001f375"));  // no font has it
}

TEST_CASE("characters that no font has still take their place") {
  const TextLine line = PlantFonts().Lay("\u4e2d\U0001f375");
  CHECK(line.width > 0);
  CHECK_FALSE(line.outlines.empty());
  CHECK(PlantFonts().Lay("").outlines.empty());
}

TEST_CASE("text that is too long is cut to its width, and says so") {
  const Fonts& fonts = PlantFonts();
  CHECK(fonts.Fit("Kenmare", 4, 100) == "Kenmare");
  for (const std::string& text :
       {std::string(200, 'W'),
        absl::StrCat(std::string(100, 'i'), kSriLanka)}) {
    const std::string fitting = fonts.Fit(text, 4, 50);
    CHECK(fonts.Lay(fitting).width * 4 <= 50);
    CHECK(fitting.ends_with("\u2026"));
    CHECK(CountCharacters(fitting) > 5);
  }
}

TEST_CASE("a file that is no font is named") {
  for (const char* file : {"/nowhere.ttf", "/etc/hostname"}) {
    const auto fonts = Fonts::Load({file});
    REQUIRE_FALSE(fonts.ok());
    CHECK(std::string(fonts.status().message()).find(file) !=
          std::string::npos);
  }
  CHECK_FALSE(Fonts::Load({}).ok());
}

Picture PictureOf(const std::string& text) {
  const auto code = QrCode::Of(text);
  REQUIRE(code.ok());
  const double side = code->modules() + 2.0 * QrCode::kQuietModules;
  return {.width = side,
          .height = side,
          .black =
              code->Outlines({QrCode::kQuietModules, QrCode::kQuietModules}, 1),
          .title = text,
          .description = "<code & \"all\">"};
}

TEST_CASE("another program reads the codes in our pictures") {
  for (const std::string& text :
       {std::string("17/1"),
        std::string("blendbalance:0198b7a2-1111-7000-8000-000000000001"),
        std::string(kSriLanka), std::string(500, 'x')}) {
    const Picture picture = PictureOf(text);
    const auto png = AsPng(picture, 4);
    REQUIRE(png.ok());
    CHECK(tests::CodesInPng(*png) == Codes{text});
    CHECK(tests::CodesInSvg(AsSvg(picture)) == Codes{text});
  }
  CHECK_FALSE(QrCode::Of("").ok());
  CHECK_FALSE(QrCode::Of(std::string(5000, 'x')).ok());
}

TEST_CASE("a code is still read with a corner of it dirty") {
  const std::string text = "tealine:0198b7a2-1111-7000-8000-000000000001";
  Picture picture = PictureOf(text);
  picture.black.Rectangle({14, 24}, 11, 11);
  const auto png = AsPng(picture, 4);
  REQUIRE(png.ok());
  CHECK(tests::CodesInPng(*png) == Codes{text});
}

TEST_CASE("a label's code has the same size whatever kind the bag is of") {
  for (const char* kind : {"tealine", "blendbalance"}) {
    const auto code =
        QrCode::Of(absl::StrCat(kind, ":0198b7a2-1111-7000-8000-000000000001"));
    REQUIRE(code.ok());
    CHECK(code->modules() == QrCode::kUsualModules);
  }
}

TEST_CASE("what a PDF shows is drawn as it is written and copied as it was") {
  Pdf pdf(PlantFonts(), "A test");
  pdf.BeginPage();
  const std::vector<std::string> lines = {
      "Uva Seasonal (250 g) \\ caf\u00e9", kSriLanka,
      absl::StrCat("Kenmare ", kTamilKe, " 12"), "tea \U0001f375 leaf"};
  for (size_t i = 0; i < lines.size(); ++i) {
    pdf.Text({20, 20 + 10.0 * static_cast<double>(i)}, 5, lines[i], 150);
  }
  pdf.BeginPage();
  const auto code = QrCode::Of("17/1");
  REQUIRE(code.ok());
  pdf.Code({20, 20}, 20, *code);
  const auto bytes = pdf.Bytes();
  REQUIRE(bytes.ok());
  CHECK(tests::PagesInPdf(*bytes) == 2);
  const std::string text = tests::TextInPdf(*bytes);
  CHECK(text.find(lines[0]) != std::string::npos);
  CHECK(text.find(lines[1]) != std::string::npos);
  CHECK(text.find("leaf") != std::string::npos);
  CHECK(tests::CodesInPdf(*bytes) == Codes{"17/1"});
}

TEST_CASE("a document whose font is gone says so instead of being half one") {
  const std::string file =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/mtp_",
                   getpid(), ".ttf");
  std::filesystem::copy_file(PlantFonts().files()[0], file);
  const auto fonts = Fonts::Load({file});
  std::filesystem::remove(file);
  REQUIRE(fonts.ok());
  Pdf pdf(**fonts, "A test");
  pdf.BeginPage();
  pdf.Text({20, 20}, 5, "Kenmare", 100);
  CHECK_FALSE(pdf.Bytes().ok());
}

}  // namespace
}  // namespace mtp::print
