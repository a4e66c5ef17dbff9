#include "cli/plan_import.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/contract.h"
#include "cli/plan_file.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "google/protobuf/message.h"

namespace mtp::cli {
namespace {

// What the contract takes in one message.
constexpr int kRowsInMessage = 1000;

// One line that is written over and over, and is gone at the end.
class ProgressBar {
 public:
  ProgressBar(std::ostream& out, bool shown) : out_(out), shown_(shown) {}
  ~ProgressBar() {
    if (shown_) out_ << "\r\033[K" << std::flush;
  }

  void Show(const PlanFile& file) {
    if (!shown_) return;
    constexpr int kWidth = 40;
    const int64_t all = std::max<int64_t>(file.bytes(), 1);
    const int64_t done = std::min(file.bytes_read(), all);
    const int filled = static_cast<int>(kWidth * done / all);
    out_ << "\r" << file.name() << " [" << std::string(filled, '#')
         << std::string(kWidth - filled, '.') << "] " << 100 * done / all
         << " %, " << Thousands(file.rows_read()) << " rows\033[K"
         << std::flush;
  }

 private:
  std::ostream& out_;
  const bool shown_;
};

}  // namespace

absl::Status ImportPlanFile(Session& session, options::v1::Role role,
                            const std::string& path, bool validate_only,
                            order::v1::ImportPlansResponse& response) {
  ASSIGN_OR_RETURN(const std::unique_ptr<PlanFile> file, PlanFile::Open(path));
  if (!file->unknown_columns().empty()) {
    session.err() << "Left out, for a plan has no such columns: "
                  << absl::StrJoin(file->unknown_columns(), ", ") << "\n";
  }
  ProgressBar bar(session.err(),
                  isatty(STDERR_FILENO) == 1 && !session.settings().json);
  absl::Status read;
  bool first = true;
  const auto next = [&](google::protobuf::Message& message) {
    auto& piece = static_cast<order::v1::ImportPlansRequest&>(message);
    const absl::StatusOr<int> rows = file->Read(kRowsInMessage, piece);
    if (!rows.ok()) {
      read = rows.status();
      return false;
    }
    bar.Show(*file);
    if (*rows == 0 && !first) return false;
    if (first) {
      piece.set_file_name(file->name());
      piece.set_file_digest(file->digest());
      piece.set_validate_only(validate_only);
      first = false;
    }
    return true;
  };
  const MethodDescriptor& method =
      MethodOf(*order::v1::ImportPlansRequest::descriptor());
  const absl::Status sent = session.SendStreamAs(role, method, next, response);
  RETURN_IF_ERROR(read);
  return sent;
}

}  // namespace mtp::cli
