#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace mtp::print {

// In millimetres from the left and from the top.
struct Point {
  double x = 0;
  double y = 0;

  bool operator==(const Point&) const = default;
};

// An area to be filled: outlines of straight and curved lines, each closed.
// What several of them enclose is in the area unless they run against each
// other around it (non-zero winding), as fonts have it.
class Path {
 public:
  enum class Verb : uint8_t {
    kMove,   // takes one point
    kLine,   // one
    kCurve,  // three: two that pull, and the end (a cubic Bézier curve)
    kClose,  // none
  };

  void Move(Point to) { Add(Verb::kMove, {to}); }
  void Line(Point to) { Add(Verb::kLine, {to}); }
  void Curve(Point first, Point second, Point to) {
    Add(Verb::kCurve, {first, second, to});
  }
  void Close() { Add(Verb::kClose, {}); }
  void Rectangle(Point corner, double width, double height);
  // Another path, enlarged and then moved.
  void Append(const Path& other, double scale, Point by);

  bool empty() const { return verbs_.empty(); }

  // Calls the function of each verb in order: move(Point), line(Point),
  // curve(Point, Point, Point), close().
  template <typename Move, typename Line, typename Curve, typename Close>
  void Walk(const Move& move, const Line& line, const Curve& curve,
            const Close& close) const {
    const Point* point = points_.data();
    for (const Verb verb : verbs_) {
      switch (verb) {
        case Verb::kMove:
          move(point[0]);
          point += 1;
          break;
        case Verb::kLine:
          line(point[0]);
          point += 1;
          break;
        case Verb::kCurve:
          curve(point[0], point[1], point[2]);
          point += 3;
          break;
        case Verb::kClose:
          close();
          break;
      }
    }
  }

 private:
  void Add(Verb verb, std::initializer_list<Point> points) {
    verbs_.push_back(verb);
    points_.insert(points_.end(), points);
  }

  std::vector<Verb> verbs_;
  std::vector<Point> points_;
};

}  // namespace mtp::print
