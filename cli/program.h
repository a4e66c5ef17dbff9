#pragma once

#include <memory>

#include "CLI/CLI.hpp"
#include "cli/session.h"

namespace mtp::cli {

// The whole command line: the options that every command has, and all commands.
std::unique_ptr<CLI::App> MakeProgram(Session& session);

}  // namespace mtp::cli
