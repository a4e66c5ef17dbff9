#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::cli {

// Tells the demonstration as a person would want to read it.
class Story {
 public:
  // Highlights what the eye looks for if `on_terminal`.
  Story(std::ostream& out, bool on_terminal)
      : out_(out), on_terminal_(on_terminal) {}

  // `1 / The plan`
  void Step(int number, std::string_view title);
  // `GRANDPASS_OFFICER asks for 500 kg of SO25017`
  void Act(options::v1::Role who, std::string_view does);
  // What came back, or what a side shows, under the act.
  void Reply(std::string_view text);
  // `Seeduwa shows:` and what.
  void Shows(common::v1::Side side, std::string_view text);
  void Note(std::string_view text);
  void Blank();

 private:
  std::string Strong(std::string_view text) const;

  std::ostream& out_;
  const bool on_terminal_;
};

// The site where a side runs.
std::string SiteName(common::v1::Side side);

}  // namespace mtp::cli
