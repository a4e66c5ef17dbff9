#pragma once

#include "CLI/CLI.hpp"
#include "cli/session.h"

namespace mtp::cli {

// What mends the book of bags: `stocktake`, and of the group `bag` the verbs
// for wrong weighings, losses, and bags that leave or return by hand.
void AddBagBookCommands(CLI::App& app, CLI::App& bag_group, Session& session);

}  // namespace mtp::cli
