#include "common/handlers/exceptions.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/db/proto_enum.h"

namespace mtp::handlers {

void OpenOnce(sync::Exception exception, Context& context,
              db::Table<sync::Exception>& exceptions) {
  if (exception.dedupe_key.empty()) {
    exception.dedupe_key =
        absl::StrCat(std::string(db::EnumText(exception.kind)), " ",
                     exception.things.front());
  }
  for (const sync::Exception* open : exceptions.All()) {
    if (!open->closed_at && open->dedupe_key == exception.dedupe_key) return;
  }
  exception.exception_id = context.NewId();
  exception.opened_at = context.now();
  context.Audit("exception", exception.exception_id.ToString(), "opened",
                {{"kind", std::string(db::EnumText(exception.kind))},
                 {"thing", exception.things.front()}});
  exceptions.Insert(std::move(exception));
}

}  // namespace mtp::handlers
