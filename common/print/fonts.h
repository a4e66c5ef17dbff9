#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/print/path.h"

struct hb_font_t;

namespace mtp::print {

// A part of a text that one font writes.
struct FontRun {
  size_t font = 0;  // index into Fonts::files()
  std::string_view text;
};

// A line of text, shaped: its outlines for a size of one millimetre, on a base
// line at y = 0 that begins at x = 0.
struct TextLine {
  Path outlines;
  double width = 0;
};

// The fonts that labels and papers are written in, in the order in which they
// are asked for a character. Scripts whose letters join, stack and change
// places (Sinhala, Tamil) come out as they are written. Immutable and
// thread-safe.
class Fonts {
 public:
  // INVALID_ARGUMENT: a file is missing or is no font.
  static absl::StatusOr<std::unique_ptr<const Fonts>> Load(
      std::vector<std::string> files);
  ~Fonts();

  // The text cut where the font changes. What no font has is the first one's,
  // which shows a box.
  std::vector<FontRun> Split(std::string_view text) const;
  TextLine Lay(std::string_view text) const;
  // The longest beginning of the text that stays within `width` at this size;
  // what was cut is replaced by an ellipsis.
  std::string Fit(std::string_view text, double size, double width) const;
  // Whether setting one character of the first font behind the other, left to
  // right, is all that the text needs.
  bool Plain(std::string_view text) const;

  const std::vector<std::string>& files() const { return files_; }

 private:
  struct Face;

  explicit Fonts(std::vector<std::string> files);
  bool Has(size_t font, uint32_t character) const;
  size_t FontFor(uint32_t character, size_t current) const;

  const std::vector<std::string> files_;
  std::vector<hb_font_t*> fonts_;
};

}  // namespace mtp::print
