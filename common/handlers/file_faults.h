#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/uuid.h"
#include "common/handlers/context.h"

// What is kept of a file that was refused, whatever was in it.
namespace mtp::handlers {

// The row of a fault: what it says is `told`, a service's BadRow.
template <typename Fault, typename BadRow>
Fault FaultRow(const Uuid& import_id, int64_t fault_number,
               const BadRow& told) {
  return {.import_id = import_id,
          .fault_number = fault_number,
          .line = told.line_number(),
          .column_name = told.column(),
          .value = told.value(),
          .reason = told.reason(),
          .message = told.message()};
}

// Says in the trail that a file was refused. `kind` is that of its import:
// "plan_import".
template <typename Import>
void AuditRefused(std::string_view kind, const Import& import,
                  Context& context) {
  context.Audit(kind, import.import_id.ToString(), "refused",
                {{"file_name", import.file_name},
                 {"file_digest", import.file_digest},
                 {"rows", import.row_count},
                 {"bad_rows", import.bad_row_count},
                 {"faults", import.fault_count}});
}

}  // namespace mtp::handlers
