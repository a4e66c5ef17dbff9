#pragma once

#include <functional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "cli/failures.h"
#include "cli/row_file.h"
#include "cli/session.h"
#include "common/base/status.h"
#include "google/protobuf/message.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::cli {

// Streams a file of rows to the call that takes `request`, with a progress bar
// where a terminal can show it. `request` says what else is to be said: it is
// the first message, and gets the file's name and digest.
absl::Status ImportFile(Session& session, options::v1::Role role,
                        const std::string& path, const RowKind& kind,
                        google::protobuf::Message& request,
                        google::protobuf::Message& response);

// What the verb of an import was told.
struct ImportArguments {
  std::string file;
  bool validate_only = false;
};

// A verb `import FILE` of a group, which is done by `import`.
void AddImport(
    CLI::App& group, Session& session, const std::string& help,
    const std::string& file_help,
    std::function<absl::Status(Session&, const ImportArguments&)> import);

// The import that a verb was told, and what became of it in words: `text` says
// it of a file without faults.
template <typename Request, typename Response>
absl::Status ImportAndShow(Session& session, const ImportArguments& arguments,
                           const RowKind& kind,
                           std::string (*text)(const Response&)) {
  Request request;
  request.set_validate_only(arguments.validate_only);
  Response response;
  RETURN_IF_ERROR(ImportFile(session, options::v1::ROLE_UNSPECIFIED,
                             arguments.file, kind, request, response));
  RETURN_IF_ERROR(session.Show(response, [&] { return text(response); }));
  return response.bad_row_count() > 0 ? AlreadyTold() : absl::OkStatus();
}

}  // namespace mtp::cli
