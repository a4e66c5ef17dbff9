#include "cli/story.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/rpc/token.h"

namespace mtp::cli {
namespace {

constexpr size_t kWidth = 78;
constexpr std::string_view kIndent = "    ";

}  // namespace

std::string SiteName(common::v1::Side side) {
  return side == common::v1::SIDE_PROCESSING ? "Seeduwa" : "Grandpass";
}

std::string Story::Strong(std::string_view text) const {
  return on_terminal_ ? absl::StrCat("\033[1m", std::string(text), "\033[0m")
                      : std::string(text);
}

void Story::Step(int number, std::string_view title) {
  const std::string head =
      absl::StrCat("== ", number, " / ", std::string(title), " ");
  out_ << "\n"
       << Strong(head +
                 std::string(kWidth - std::min(kWidth, head.size()), '='))
       << "\n";
}

void Story::Act(options::v1::Role who, std::string_view does) {
  out_ << "\n" << Strong(rpc::RoleName(who)) << " " << does << "\n";
  out_.flush();
}

void Story::Reply(std::string_view text) {
  std::vector<std::string> lines = absl::StrSplit(std::string(text), '\n');
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (const std::string& line : lines) {
    out_ << (line.empty() ? "" : kIndent) << line << "\n";
  }
  out_.flush();
}

void Story::Shows(common::v1::Side side, std::string_view text) {
  out_ << "  " << Strong(SiteName(side)) << " shows:\n";
  Reply(text);
}

void Story::Note(std::string_view text) {
  out_ << "  " << text << "\n";
  out_.flush();
}

void Story::Blank() { out_ << "\n"; }

}  // namespace mtp::cli
