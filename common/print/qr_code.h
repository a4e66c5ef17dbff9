#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/print/path.h"

namespace mtp::print {

// A QR code: a square of dark and light modules that holds a text, readable
// with up to a quarter of it scratched off or dirty.
class QrCode {
 public:
  // What has to stay light around it, in modules.
  static constexpr int kQuietModules = 4;
  // The size of 31 to 60 bytes. All shorter texts have it, too, so that labels
  // look alike.
  static constexpr int kUsualModules = 37;

  // Of up to 1,663 bytes.
  static absl::StatusOr<QrCode> Of(std::string_view text);

  int modules() const { return modules_; }  // on each side
  bool Dark(int column, int row) const {
    return dark_[static_cast<size_t>(row * modules_ + column)];
  }
  // The dark ones, each row's neighbours as one rectangle.
  Path Outlines(Point corner, double module_size) const;

 private:
  QrCode() = default;

  int modules_ = 0;
  std::vector<bool> dark_;
};

}  // namespace mtp::print
