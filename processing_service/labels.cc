#include "processing_service/labels.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/print/qr_code.h"
#include "processing_service/errors.h"
#include "processing_service/printed_words.h"

namespace mtp::processing {
namespace {

// A label of 100 by 60 millimetres, as label printers' rolls have it.
constexpr double kWidth = 100;
constexpr double kHeight = 60;
constexpr double kMargin = 2;
// One module of the code is a whole number of pixels, and a laser across the
// bag's seam still reads it.
constexpr double kModule = 1;
constexpr int kPixelsPerMillimetre = 12;

// How large a line is written, by its place: what it is, its name, the bag's
// number and net weight, then the rest.
constexpr double kLargeLine = 5.2;
constexpr double kLine = 4.2;
constexpr double kSmallLine = 3.4;
// The longest code fits the label's width.
constexpr double kCodeLine = 3;
// Beyond a line's size, to the next base line.
constexpr double kLeading = 1.4;

double SizeOf(size_t line) {
  if (line < 2) return kLine;
  return line < 4 ? kLargeLine : kSmallLine;
}

// --- GetBagLabel

const db::Statement kBag = db::Compose({kBagColumns, "FROM bag", kBagJoins, R"(
  WHERE bag.barcode = $1::uuid
)"});

absl::Status AskGetBagLabel(const v1::GetBagLabelRequest& request,
                            db::Exchange& exchange) {
  exchange.Add(kBag, db::Params().Add(ParseBarcode(request.barcode()).uuid));
  return absl::OkStatus();
}

absl::StatusOr<v1::GetBagLabelResponse> AnswerGetBagLabel(
    const v1::GetBagLabelRequest& request, const db::Results& results,
    absl::TimeZone zone, const print::Fonts& fonts) {
  if (results[0].empty()) return errors::BagNotFound(request.barcode());
  const Bag bag = db::Read<Bag>(results[0][0]);
  if (!ParseBarcode(request.barcode()).Fits(bag.kind)) {
    return errors::BagNotFound(request.barcode());
  }
  v1::GetBagLabelResponse label = LabelOf(bag.Shown(), zone);
  if (request.format() == v1::LABEL_FORMAT_UNSPECIFIED) return label;

  ASSIGN_OR_RETURN(const print::Picture picture, PictureOf(label, fonts));
  if (request.format() == v1::LABEL_FORMAT_SVG) {
    label.set_image(print::AsSvg(picture));
    label.set_media_type("image/svg+xml");
  } else {
    ASSIGN_OR_RETURN(*label.mutable_image(),
                     print::AsPng(picture, kPixelsPerMillimetre));
    label.set_media_type("image/png");
  }
  return label;
}

}  // namespace

v1::GetBagLabelResponse LabelOf(const v1::Bag& bag, absl::TimeZone zone) {
  v1::GetBagLabelResponse label;
  label.set_code(LabelCode(bag.kind(), bag.barcode()));
  label.add_lines(absl::StrCat(KindWord(bag.kind()), " ", bag.source_code()));
  label.add_lines(bag.source_name());
  label.add_lines(absl::StrCat("Bag ", bag.bag_number()));
  label.add_lines(absl::StrCat("Net ", WeightText(bag.net_grams())));
  label.add_lines(absl::StrCat("Gross ", WeightText(bag.gross_grams())));
  label.add_lines(absl::StrCat("Tare ", WeightText(bag.tare_grams())));
  label.add_lines(bag.location());
  label.add_lines(MinuteText(bag.occurred_at(), zone));
  if (!bag.reference().empty()) label.add_lines(bag.reference());
  *label.mutable_bag() = bag;
  return label;
}

// The code at the left, what it says in letters under it, the lines at the
// right.
absl::StatusOr<print::Picture> PictureOf(const v1::GetBagLabelResponse& label,
                                         const print::Fonts& fonts) {
  ASSIGN_OR_RETURN(const print::QrCode code, print::QrCode::Of(label.code()));
  const double quiet = print::QrCode::kQuietModules * kModule;
  const double code_side = code.modules() * kModule + 2 * quiet;
  print::Picture picture{.width = kWidth,
                         .height = kHeight,
                         .black = code.Outlines({quiet, quiet}, kModule),
                         .title = label.code(),
                         .description = absl::StrJoin(label.lines(), "\n")};
  const auto write = [&](double x, double y, double size,
                         const std::string& text) {
    picture.black.Append(fonts.Lay(text).outlines, size, {x, y});
  };
  double y = kMargin;
  for (int i = 0; i < label.lines_size(); ++i) {
    const double size = SizeOf(static_cast<size_t>(i));
    y += size * kLeading;
    write(code_side, y, size,
          fonts.Fit(label.lines(i), size, kWidth - kMargin - code_side));
  }
  // Never cut: it is there to be typed when the code cannot be read.
  write(quiet, kHeight - kMargin - kCodeLine / 2, kCodeLine, label.code());
  return picture;
}

void AddLabels(Queries& queries, const Settings& settings,
               const print::Fonts& fonts) {
  queries.Add<v1::GetBagLabelRequest, v1::GetBagLabelResponse>(
      "mtp.processing.v1.BagService/GetBagLabel", AskGetBagLabel,
      [zone = settings.time_zone, &fonts](const v1::GetBagLabelRequest& request,
                                          const db::Results& results) {
        return AnswerGetBagLabel(request, results, zone, fonts);
      },
      handlers::Reach::kTable);
}

}  // namespace mtp::processing
