#pragma once

#include "CLI/CLI.hpp"
#include "cli/session.h"

namespace mtp::cli {

// `receive` and `scan`, for one bag, several, or a station that goes on.
void AddStationCommands(CLI::App& app, Session& session);

}  // namespace mtp::cli
