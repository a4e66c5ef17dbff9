#include "cli/output_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "cli/failures.h"

namespace mtp::cli {

absl::Status WriteFile(const std::string& path, const std::string& content) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (file) return absl::OkStatus();
  return UsageError(
      absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

}  // namespace mtp::cli
