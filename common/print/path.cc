#include "common/print/path.h"

namespace mtp::print {

void Path::Rectangle(Point corner, double width, double height) {
  Move(corner);
  Line({corner.x + width, corner.y});
  Line({corner.x + width, corner.y + height});
  Line({corner.x, corner.y + height});
  Close();
}

void Path::Append(const Path& other, double scale, Point by) {
  verbs_.insert(verbs_.end(), other.verbs_.begin(), other.verbs_.end());
  points_.reserve(points_.size() + other.points_.size());
  for (const Point& point : other.points_) {
    points_.push_back({by.x + scale * point.x, by.y + scale * point.y});
  }
}

}  // namespace mtp::print
