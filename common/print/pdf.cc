#include "common/print/pdf.h"

#include <hpdf.h>

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"

namespace mtp::print {
namespace {

constexpr double kPointsPerMillimetre = 72 / 25.4;
constexpr double kRuleWidth = 0.2;
// Readers and printers that smooth small images would blur single pixels.
constexpr int kPixelsPerModule = 4;

// To the hundredth of a point: nobody sees more, and drawn text is half as
// long.
HPDF_REAL Points(double millimetres) {
  return static_cast<HPDF_REAL>(
      std::round(millimetres * kPointsPerMillimetre * 100) / 100);
}
// PDF has y grow upwards.
HPDF_REAL Up(double y) { return Points(Pdf::kHeight - y); }

}  // namespace

// libharu remembers the first error of a document and does nothing from then
// on, so it is asked at the end only.
struct Pdf::Document {
  HPDF_Doc doc = nullptr;
  HPDF_Page page = nullptr;
  std::vector<HPDF_Font> fonts;  // null until used

  HPDF_Font FontOf(size_t index, const std::string& file) {
    if (fonts.size() <= index) fonts.resize(index + 1);
    if (fonts[index] == nullptr) {
      const char* name =
          HPDF_LoadTTFontFromFile(doc, file.c_str(), /*embedding=*/HPDF_TRUE);
      if (name != nullptr) fonts[index] = HPDF_GetFont(doc, name, "UTF-8");
    }
    return fonts[index];
  }
  void Show(Point at, double size, HPDF_Font font, std::string_view text,
            HPDF_TextRenderingMode mode) {
    if (font == nullptr) return;
    HPDF_Page_BeginText(page);
    HPDF_Page_SetFontAndSize(page, font, Points(size));
    HPDF_Page_SetTextRenderingMode(page, mode);
    HPDF_Page_TextOut(page, Points(at.x), Up(at.y), std::string(text).c_str());
    HPDF_Page_EndText(page);
  }
  // The path's origin comes to stand at a point of the page: small numbers,
  // and the same ones for the same text, take little room.
  void Fill(const Path& path, Point at) {
    if (path.empty()) return;
    HPDF_Page_GSave(page);
    HPDF_Page_Concat(page, 1, 0, 0, 1, Points(at.x), Up(at.y));
    path.Walk(
        [&](Point to) { HPDF_Page_MoveTo(page, Points(to.x), Points(-to.y)); },
        [&](Point to) { HPDF_Page_LineTo(page, Points(to.x), Points(-to.y)); },
        [&](Point first, Point second, Point to) {
          HPDF_Page_CurveTo(page, Points(first.x), Points(-first.y),
                            Points(second.x), Points(-second.y), Points(to.x),
                            Points(-to.y));
        },
        [&] { HPDF_Page_ClosePath(page); });
    HPDF_Page_Fill(page);
    HPDF_Page_GRestore(page);
  }
};

Pdf::Pdf(const Fonts& fonts, const std::string& title)
    : fonts_(fonts), document_(std::make_unique<Document>()) {
  HPDF_Doc doc = HPDF_New(/*error handler*/ nullptr, nullptr);
  document_->doc = doc;
  if (doc == nullptr) return;
  HPDF_SetCompressionMode(doc, HPDF_COMP_ALL);
  HPDF_UseUTFEncodings(doc);
  HPDF_SetInfoAttr(doc, HPDF_INFO_TITLE, title.c_str());
}

Pdf::~Pdf() {
  if (document_->doc != nullptr) HPDF_Free(document_->doc);
}

void Pdf::BeginPage() {
  document_->page = HPDF_AddPage(document_->doc);
  HPDF_Page_SetSize(document_->page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
}

// libharu writes a glyph for each character, one behind the other. Where that
// is not how the script is written, the text is drawn and stands under the
// drawing unseen, to be found and copied.
void Pdf::Text(Point at, double size, std::string_view text, double width) {
  const std::string fitting = fonts_.Fit(text, size, width);
  if (fonts_.Plain(fitting)) {
    document_->Show(at, size, document_->FontOf(0, fonts_.files()[0]), fitting,
                    HPDF_FILL);
    return;
  }
  Path path;
  path.Append(fonts_.Lay(fitting).outlines, size, {0, 0});
  document_->Fill(path, at);
  Point begin = at;
  for (const FontRun& run : fonts_.Split(fitting)) {
    document_->Show(begin, size,
                    document_->FontOf(run.font, fonts_.files()[run.font]),
                    run.text, HPDF_INVISIBLE);
    begin.x += fonts_.Lay(run.text).width * size;
  }
}

void Pdf::TextRight(Point end, double size, std::string_view text,
                    double width) {
  const std::string fitting = fonts_.Fit(text, size, width);
  Text({end.x - fonts_.Lay(fitting).width * size, end.y}, size, fitting,
       width + 1);
}

void Pdf::Rule(Point from, double width) {
  Path path;
  path.Rectangle({0, 0}, width, kRuleWidth);
  document_->Fill(path, from);
}

void Pdf::Code(Point corner, double size, const QrCode& code) {
  const int side = code.modules() * kPixelsPerModule;
  const int row_bytes = (side + 7) / 8;
  // One bit each, 1 is white.
  std::vector<HPDF_BYTE> bits(static_cast<size_t>(row_bytes * side), 0xff);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      if (code.Dark(x / kPixelsPerModule, y / kPixelsPerModule)) {
        bits[static_cast<size_t>(y * row_bytes + x / 8)] &=
            static_cast<HPDF_BYTE>(~(0x80 >> x % 8));
      }
    }
  }
  HPDF_Image image = HPDF_LoadRawImageFromMem(
      document_->doc, bits.data(), static_cast<HPDF_UINT>(side),
      static_cast<HPDF_UINT>(side), HPDF_CS_DEVICE_GRAY, 1);
  if (image == nullptr) return;
  const double module = size / (code.modules() + 2 * QrCode::kQuietModules);
  const double inner = module * code.modules();
  const double margin = module * QrCode::kQuietModules;
  HPDF_Page_DrawImage(document_->page, image, Points(corner.x + margin),
                      Up(corner.y + margin + inner), Points(inner),
                      Points(inner));
}

absl::StatusOr<std::string> Pdf::Bytes() {
  if (document_->doc == nullptr) {
    return absl::ResourceExhaustedError("no memory for a document");
  }
  HPDF_SaveToStream(document_->doc);
  if (const HPDF_STATUS error = HPDF_GetError(document_->doc);
      error != HPDF_OK) {
    return absl::InternalError(
        absl::StrCat("libharu error ", absl::Hex(error), ", detail ",
                     HPDF_GetErrorDetail(document_->doc)));
  }
  HPDF_UINT32 size = HPDF_GetStreamSize(document_->doc);
  std::string bytes(size, '\0');
  HPDF_ResetStream(document_->doc);
  HPDF_ReadFromStream(document_->doc,
                      reinterpret_cast<HPDF_BYTE*>(bytes.data()), &size);
  bytes.resize(size);
  return bytes;
}

}  // namespace mtp::print
