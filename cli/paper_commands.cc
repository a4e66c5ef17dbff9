#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/outbound.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

struct LabelArguments {
  GetBagLabelRequest request;
  std::string file;
  bool svg = false;
};

absl::Status Label(Session& session, LabelArguments& arguments) {
  if (!arguments.file.empty()) {
    arguments.request.set_format(arguments.svg ? LABEL_FORMAT_SVG
                                               : LABEL_FORMAT_PNG);
  }
  GetBagLabelResponse response;
  RETURN_IF_ERROR(session.Call(arguments.request, response));
  if (!arguments.file.empty()) {
    RETURN_IF_ERROR(WriteFile(arguments.file, response.image()));
  }
  return session.Show(response, [&] {
    return arguments.file.empty()
               ? LabelText(response)
               : absl::StrCat("Wrote ", arguments.file, ".\n");
  });
}

void AddLabel(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<LabelArguments>();
  CLI::App& command = *app.add_subcommand("label", "The label of a bag");
  Bind(command, "BARCODE", arguments->request, "barcode", "The bag")
      ->required();
  CLI::Option* file =
      command
          .add_option("-o,--output", arguments->file,
                      "The picture, 100 by 60 mm; without, only what it says")
          ->type_name("FILE");
  command.add_flag("--svg", arguments->svg, "As SVG instead of PNG")
      ->needs(file);
  command.callback([&session, arguments] {
    session.Do([&session, arguments] { return Label(session, *arguments); });
  });
}

struct NoteArguments {
  std::string which;
  std::string file;
};

absl::Status DispatchNote(Session& session, const NoteArguments& arguments) {
  GetDispatchNoteRequest request;
  if (Uuid::Parse(arguments.which).has_value()) {
    request.set_dispatch_id(arguments.which);
  } else {
    const auto key = ParseShipmentKey(arguments.which);
    if (!key.ok()) return UsageError(std::string(key.status().message()));
    *request.mutable_key() = *key;
  }
  GetDispatchNoteResponse response;
  RETURN_IF_ERROR(session.Call(request, response));
  const std::string file =
      arguments.file.empty() ? response.file_name() : arguments.file;
  RETURN_IF_ERROR(WriteFile(file, response.content()));
  return session.Show(response,
                      [&] { return absl::StrCat("Wrote ", file, ".\n"); });
}

void AddDispatchNote(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<NoteArguments>();
  CLI::App& command =
      *app.add_subcommand("dispatch-note", "The paper for the driver (PDF)");
  command
      .add_option("SHIPMENT", arguments->which,
                  "As 17/1, or the dispatch's id: all that left together")
      ->required();
  command
      .add_option("-o,--output", arguments->file,
                  "Where to write it; by default dispatch-17-1.pdf, here")
      ->type_name("FILE");
  command.callback([&session, arguments] {
    session.Do(
        [&session, arguments] { return DispatchNote(session, *arguments); });
  });
}

}  // namespace

void AddPaperCommands(CLI::App& app, Session& session) {
  AddLabel(app, session);
  AddDispatchNote(app, session);
}

}  // namespace mtp::cli
