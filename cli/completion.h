#pragma once

#include <string>

#include "CLI/CLI.hpp"

namespace mtp::cli {

// A script for bash that completes the commands and options of `app`, roles
// after --as and `token`, methods after `call`, and files.
std::string BashCompletion(const CLI::App& app);

}  // namespace mtp::cli
