#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/print/path.h"

namespace mtp::print {

// Black on a white ground.
struct Picture {
  double width = 0;  // in millimetres
  double height = 0;
  Path black;
  // For people and programs that cannot see it.
  std::string title;
  std::string description;
};

// A PNG of so many pixels per millimetre, in grey.
absl::StatusOr<std::string> AsPng(const Picture& picture,
                                  int pixels_per_millimetre);

// An SVG that needs no fonts: all text is outlines.
std::string AsSvg(const Picture& picture);

}  // namespace mtp::print
