#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/print/picture.h"

namespace mtp::print {
namespace {

// --- from outlines to pixels

// Each row of pixels is looked at along so many lines; along a line coverage
// is exact. Edges that lie on whole pixels come out sharp.
constexpr int kLinesPerPixel = 4;
// A curve of a letter on a label is a few pixels long.
constexpr int kPiecesOfCurve = 8;

// Where an outline crosses a line, and whether it goes down (1) or up (-1).
struct Crossing {
  double x = 0;
  int direction = 0;
};

class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width),
        height_(height),
        lines_(static_cast<size_t>(height * kLinesPerPixel)) {}

  // Coordinates are pixels.
  void Edge(Point from, Point to) {
    const int direction = from.y < to.y ? 1 : -1;
    if (direction < 0) std::swap(from, to);
    // The lines go through the middle of their share of the pixel.
    const auto line_at = [](double y) {
      return static_cast<int>(std::ceil(y * kLinesPerPixel - 0.5));
    };
    const int first = std::max(line_at(from.y), 0);
    const int end = std::min(line_at(to.y), height_ * kLinesPerPixel);
    for (int line = first; line < end; ++line) {
      const double y = (line + 0.5) / kLinesPerPixel;
      const double part = (y - from.y) / (to.y - from.y);
      lines_[static_cast<size_t>(line)].push_back(
          {from.x + part * (to.x - from.x), direction});
    }
  }

  // The pixels of a row, from 0 (black) to 255.
  void Row(int row, uint8_t* pixels) {
    std::vector<double> covered(static_cast<size_t>(width_), 0.0);
    for (int i = 0; i < kLinesPerPixel; ++i) {
      Cover(lines_[static_cast<size_t>(row * kLinesPerPixel + i)], covered);
    }
    for (int x = 0; x < width_; ++x) {
      const double part =
          std::min(covered[static_cast<size_t>(x)] / kLinesPerPixel, 1.0);
      pixels[x] = static_cast<uint8_t>(255 - std::lround(255 * part));
    }
  }

 private:
  void Cover(std::vector<Crossing>& line, std::vector<double>& covered) const {
    std::sort(line.begin(), line.end(),
              [](const Crossing& a, const Crossing& b) { return a.x < b.x; });
    int winding = 0;
    double begin = 0;
    for (const Crossing& crossing : line) {
      if (winding == 0) begin = crossing.x;
      winding += crossing.direction;
      if (winding == 0) CoverSpan(begin, crossing.x, covered);
    }
  }

  void CoverSpan(double begin, double end, std::vector<double>& covered) const {
    begin = std::clamp<double>(begin, 0, width_);
    end = std::clamp<double>(end, 0, width_);
    for (int x = static_cast<int>(begin); x < end; ++x) {
      covered[static_cast<size_t>(x)] +=
          std::min<double>(end, x + 1) - std::max<double>(begin, x);
    }
  }

  const int width_;
  const int height_;
  std::vector<std::vector<Crossing>> lines_;
};

void Fill(const Path& path, double scale, Canvas& canvas) {
  Point start;
  Point here;
  const auto scaled = [scale](Point point) {
    return Point{point.x * scale, point.y * scale};
  };
  const auto go = [&](Point to) {
    canvas.Edge(here, to);
    here = to;
  };
  path.Walk([&](Point to) { start = here = scaled(to); },
            [&](Point to) { go(scaled(to)); },
            [&](Point first, Point second, Point to) {
              const Point p0 = here;
              const Point p1 = scaled(first);
              const Point p2 = scaled(second);
              const Point p3 = scaled(to);
              for (int i = 1; i <= kPiecesOfCurve; ++i) {
                const double t = static_cast<double>(i) / kPiecesOfCurve;
                const double u = 1 - t;
                const auto at = [&](double a, double b, double c, double d) {
                  return u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c +
                         t * t * t * d;
                };
                go({at(p0.x, p1.x, p2.x, p3.x), at(p0.y, p1.y, p2.y, p3.y)});
              }
            },
            [&] { go(start); });
}

// --- the file (ISO/IEC 15948)

void AppendNumber(std::string& out, uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) {
    out.push_back(static_cast<char>(number >> shift & 0xff));
  }
}

void AppendChunk(std::string& out, const std::string& type,
                 const std::string& data) {
  AppendNumber(out, static_cast<uint32_t>(data.size()));
  const std::string checked = type + data;
  out += checked;
  AppendNumber(out, static_cast<uint32_t>(
                        crc32(0, reinterpret_cast<const Bytef*>(checked.data()),
                              static_cast<uInt>(checked.size()))));
}

absl::StatusOr<std::string> Compressed(const std::vector<uint8_t>& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, bytes.data(),
                bytes.size(), Z_BEST_SPEED) != Z_OK) {
    return absl::InternalError("the picture could not be compressed");
  }
  out.resize(size);
  return out;
}

}  // namespace

absl::StatusOr<std::string> AsPng(const Picture& picture,
                                  int pixels_per_millimetre) {
  const int width =
      static_cast<int>(std::lround(picture.width * pixels_per_millimetre));
  const int height =
      static_cast<int>(std::lround(picture.height * pixels_per_millimetre));
  Canvas canvas(width, height);
  Fill(picture.black, pixels_per_millimetre, canvas);

  // Each row begins with its filter: 0, none.
  const size_t row_size = static_cast<size_t>(width) + 1;
  std::vector<uint8_t> rows(row_size * static_cast<size_t>(height), 0);
  for (int row = 0; row < height; ++row) {
    canvas.Row(row, &rows[static_cast<size_t>(row) * row_size + 1]);
  }

  std::string header;
  AppendNumber(header, static_cast<uint32_t>(width));
  AppendNumber(header, static_cast<uint32_t>(height));
  // Eight bits of grey, and the only compression, filters and order there are.
  header.append({8, 0, 0, 0, 0});
  // So that it prints in its size: pixels per metre, both ways.
  std::string size;
  AppendNumber(size, static_cast<uint32_t>(pixels_per_millimetre * 1000));
  AppendNumber(size, static_cast<uint32_t>(pixels_per_millimetre * 1000));
  size.push_back(1);

  absl::StatusOr<std::string> data = Compressed(rows);
  if (!data.ok()) return data.status();
  std::string png = "\x89PNG\r\n\x1a\n";
  AppendChunk(png, "IHDR", header);
  AppendChunk(png, "pHYs", size);
  AppendChunk(png, "tEXt", std::string("Title") + '\0' + picture.title);
  AppendChunk(png, "IDAT", *data);
  AppendChunk(png, "IEND", "");
  return png;
}

}  // namespace mtp::print
