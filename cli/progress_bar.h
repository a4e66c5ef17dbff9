#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace mtp::cli {

// One line that is written over and over on a terminal, and is gone at the
// end. Elsewhere nothing is written.
class ProgressBar {
 public:
  // `out` is standard error; shown if `wanted` and that is a terminal.
  ProgressBar(std::ostream& out, bool wanted);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `plan.csv [####......] 40 %, 1,200 rows`
  void Show(std::string_view what, int64_t done, int64_t all,
            const std::string& text);
  bool shown() const { return shown_; }

 private:
  std::ostream& out_;
  const bool shown_;
};

}  // namespace mtp::cli
