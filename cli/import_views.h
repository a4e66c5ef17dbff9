#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "cli/fields.h"
#include "cli/table.h"

// What people read of an import's faults, whatever was imported.
namespace mtp::cli {

template <typename BadRow>
std::string BadRowsText(const Many<BadRow>& rows) {
  Table table({"LINE", "COLUMN", "VALUE", "REASON", "WHAT IS WRONG"});
  for (const BadRow& row : rows) {
    table.Row({row.line_number(), row.column(), row.value(),
               EnumText(row.reason()), row.message()});
  }
  return table.Text();
}

// Of an import with bad rows. `show` is the verb that shows one import, if
// there is one.
template <typename Response>
std::string RefusedImportText(const Response& import,
                              const std::string& show = "") {
  std::string out = absl::StrCat(
      "Nothing was stored: ", import.bad_row_count(), " of ",
      import.row_count(), " rows ",
      import.bad_row_count() == 1 ? "has " : "have ", import.fault_count(),
      import.fault_count() == 1 ? " fault.\n" : " faults.\n",
      BadRowsText(import.bad_rows()));
  if (import.fault_count() > import.bad_rows_size()) {
    absl::StrAppend(
        &out, "The first ", import.bad_rows_size(), " are shown",
        show.empty() || import.import_id().empty()
            ? std::string()
            : absl::StrCat("; all: mtpctl ", show, " ", import.import_id(),
                           " --part bad-rows --all"),
        ".\n");
  }
  return out;
}

}  // namespace mtp::cli
