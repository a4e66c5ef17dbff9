#pragma once

#include "common/db/table.h"
#include "common/handlers/context.h"
#include "common/sync/exceptions.h"

namespace mtp::handlers {

// Opens it as of now, and says so in the trail; not if the same trouble, among
// those that were loaded, is open already. Without a key of its own it is the
// trouble of its kind with its first thing.
void OpenOnce(sync::Exception exception, Context& context,
              db::Table<sync::Exception>& exceptions);

}  // namespace mtp::handlers
