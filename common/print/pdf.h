#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/print/fonts.h"
#include "common/print/path.h"
#include "common/print/qr_code.h"

namespace mtp::print {

// A document of A4 pages, written page by page. What goes wrong while it is
// written is told once, by Bytes(). Not thread-safe.
class Pdf {
 public:
  static constexpr double kWidth = 210;
  static constexpr double kHeight = 297;

  // The fonts outlive the document. The title is ASCII.
  Pdf(const Fonts& fonts, const std::string& title);
  ~Pdf();
  Pdf(const Pdf&) = delete;
  Pdf& operator=(const Pdf&) = delete;

  // Everything that follows goes on a new page; one is needed.
  void BeginPage();
  // `at` is where the base line begins; sizes are millimetres. Text that is
  // too long for `width` is cut.
  void Text(Point at, double size, std::string_view text, double width);
  void TextRight(Point end, double size, std::string_view text, double width);
  void Rule(Point from, double width);
  // With the light margin that a reader needs around it.
  void Code(Point corner, double size, const QrCode& code);

  absl::StatusOr<std::string> Bytes();

 private:
  struct Document;

  const Fonts& fonts_;
  const std::unique_ptr<Document> document_;
};

}  // namespace mtp::print
