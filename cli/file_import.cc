#include "cli/file_import.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/contract.h"
#include "cli/progress_bar.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "google/protobuf/message.h"

namespace mtp::cli {
namespace {

using google::protobuf::Message;

// What the contract takes in one message.
constexpr int kRowsInMessage = 1000;
// An import of many rows takes longer than a call.
constexpr absl::Duration kImportTimeout = absl::Minutes(10);

// What was read of the file so far, and how many rows that was.
void ShowProgress(const RowFile& file, ProgressBar& bar) {
  bar.Show(file.name(), file.bytes_read(), file.bytes(),
           absl::StrCat(Thousands(file.rows_read()), " rows"));
}

void SetText(Message& message, const std::string& field,
             const std::string& text) {
  message.GetReflection()->SetString(
      &message, message.GetDescriptor()->FindFieldByName(field), text);
}

}  // namespace

absl::Status ImportFile(Session& session, options::v1::Role role,
                        const std::string& path, const RowKind& kind,
                        Message& request, Message& response) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RowFile> file,
                   RowFile::Open(path, kind));
  if (!file->unknown_columns().empty()) {
    session.err() << "Left out, for a row of " << kind.name
                  << " has no such columns: "
                  << absl::StrJoin(file->unknown_columns(), ", ") << "\n";
  }
  SetText(request, "file_name", file->name());
  session.settings().timeout =
      std::max(session.settings().timeout, kImportTimeout);
  ProgressBar bar(session.err(), !session.settings().json);
  absl::Status read;
  bool first = true;
  bool last = false;
  // The digest comes with the last rows: a stream that ends before them, for a
  // line that is none or because this program was killed, is of no file and
  // refused whole.
  const auto next = [&](Message& piece) {
    if (last) return false;
    if (std::exchange(first, false)) piece.CopyFrom(request);
    const absl::StatusOr<int> rows = file->Read(kRowsInMessage, piece);
    if (!rows.ok()) {
      read = rows.status();
      return false;
    }
    last = *rows < kRowsInMessage;
    if (last && file->rows_read() == 0) {
      read = UsageError(path + " has a heading, but no rows");
      return false;
    }
    if (last) SetText(piece, "file_digest", file->digest());
    ShowProgress(*file, bar);
    return true;
  };
  const absl::Status sent = session.SendStreamAs(
      role, MethodOf(*request.GetDescriptor()), next, response);
  RETURN_IF_ERROR(read);
  return sent;
}

void AddImport(
    CLI::App& group, Session& session, const std::string& help,
    const std::string& file_help,
    std::function<absl::Status(Session&, const ImportArguments&)> import) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App& command = *group.add_subcommand("import", help);
  command.add_option("FILE", arguments->file, file_help)->required();
  command.add_flag("--validate-only", arguments->validate_only,
                   "Only say what would happen");
  command.callback([&session, arguments, import = std::move(import)] {
    session.Do(
        [&session, arguments, import] { return import(session, *arguments); });
  });
}

}  // namespace mtp::cli
