#pragma once

#include <catch2/catch.hpp>

#include "common/print/fonts.h"
#include "processing_service/settings.h"

namespace mtp::tests {

// Those that the processing service writes with unless told otherwise.
inline const print::Fonts& PlantFonts() {
  static const std::unique_ptr<const print::Fonts> fonts = [] {
    auto loaded = print::Fonts::Load(processing::Settings().fonts);
    REQUIRE(loaded.ok());
    return *std::move(loaded);
  }();
  return *fonts;
}

}  // namespace mtp::tests
