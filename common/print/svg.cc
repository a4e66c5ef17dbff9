#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/print/picture.h"

namespace mtp::print {
namespace {

// XML has no place for the last two characters of the first plane.
std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"\uFFFE", "\uFFFD"},
                                    {"\uFFFF", "\uFFFD"}});
}

void AppendNumber(std::string& out, double millimetres) {
  absl::StrAppendFormat(&out, "%.3f", millimetres);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
}

void AppendPoint(std::string& out, Point point) {
  AppendNumber(out, point.x);
  out += ' ';
  AppendNumber(out, point.y);
}

std::string PathData(const Path& path) {
  std::string data;
  path.Walk(
      [&](Point to) {
        data += 'M';
        AppendPoint(data, to);
      },
      [&](Point to) {
        data += 'L';
        AppendPoint(data, to);
      },
      [&](Point first, Point second, Point to) {
        data += 'C';
        AppendPoint(data, first);
        data += ' ';
        AppendPoint(data, second);
        data += ' ';
        AppendPoint(data, to);
      },
      [&] { data += 'Z'; });
  return data;
}

}  // namespace

std::string AsSvg(const Picture& picture) {
  std::string width;
  std::string height;
  AppendNumber(width, picture.width);
  AppendNumber(height, picture.height);
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"",
      width, "mm\" height=\"", height, "mm\" viewBox=\"0 0 ", width, " ",
      height, "\">\n<title>", Escaped(picture.title), "</title>\n<desc>",
      Escaped(picture.description), "</desc>\n<rect width=\"", width,
      "\" height=\"", height, "\" fill=\"#fff\"/>\n<path d=\"",
      PathData(picture.black), "\" fill=\"#000\"/>\n</svg>\n");
}

}  // namespace mtp::print
