#include <string>

#include "cli/commands.h"
#include "cli/file_import.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

absl::Status Import(Session& session, const ImportArguments& arguments) {
  return ImportAndShow<ImportOpeningStockRequest, ImportOpeningStockResponse>(
      session, arguments, OpeningStockRows(), OpeningStockText);
}

}  // namespace

void AddStockCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "stock", "What lies on the site");
  AddImport(group, session,
            "Takes over the bags that lay there before (CSV), all of them or "
            "none",
            "Columns kind, code, batch_number, barcode, location, gross, tare, "
            "bag_number, reference, received",
            Import);
}

}  // namespace mtp::cli
