#include "common/print/qr_code.h"

#include <qrencode.h>

#include <memory>
#include <string>

namespace mtp::print {
namespace {

// 37 modules on each side.
constexpr int kSmallestVersion = 5;

}  // namespace

absl::StatusOr<QrCode> QrCode::Of(std::string_view text) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> made(
      QRcode_encodeData(static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(text.data()),
                        kSmallestVersion, QR_ECLEVEL_Q),
      &QRcode_free);
  if (made == nullptr) {
    return absl::InvalidArgumentError("a QR code holds 1 to 1,663 bytes");
  }
  QrCode code;
  code.modules_ = made->width;
  const int count = made->width * made->width;
  code.dark_.reserve(static_cast<size_t>(count));
  // The lowest bit is the colour, the others tell what the module is for.
  for (int i = 0; i < count; ++i) code.dark_.push_back(made->data[i] & 1);
  return code;
}

Path QrCode::Outlines(Point corner, double module_size) const {
  Path path;
  for (int row = 0; row < modules_; ++row) {
    for (int column = 0; column < modules_; ++column) {
      if (!Dark(column, row)) continue;
      const int first = column;
      while (column + 1 < modules_ && Dark(column + 1, row)) ++column;
      path.Rectangle(
          {corner.x + first * module_size, corner.y + row * module_size},
          (column - first + 1) * module_size, module_size);
    }
  }
  return path;
}

}  // namespace mtp::print
