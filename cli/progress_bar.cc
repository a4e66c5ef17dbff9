#include "cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>

namespace mtp::cli {

ProgressBar::ProgressBar(std::ostream& out, bool wanted)
    : out_(out), shown_(wanted && isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (shown_) out_ << "\r\033[K" << std::flush;
}

void ProgressBar::Show(std::string_view what, int64_t done, int64_t all,
                       const std::string& text) {
  if (!shown_) return;
  constexpr int64_t kWidth = 40;
  all = std::max<int64_t>(all, 1);
  done = std::clamp<int64_t>(done, 0, all);
  const auto filled = static_cast<size_t>(kWidth * done / all);
  out_ << "\r" << what << " [" << std::string(filled, '#')
       << std::string(kWidth - filled, '.') << "] " << 100 * done / all
       << " %, " << text << "\033[K" << std::flush;
}

}  // namespace mtp::cli
