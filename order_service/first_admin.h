#pragma once

#include <string>

#include "order_service/settings.h"

namespace CLI {
class App;
}

// The command that makes a MASTER_ADMIN where there is none who is not
// disabled: the first one, and the next one when all are shut out.
namespace mtp::order {

// Adds `order_service first-admin --username NAME`; parsing it fills
// `username`.
CLI::App* AddFirstAdminCommand(CLI::App& app, std::string& username);

// Makes the account and prints its one-time password, which the person must
// change at the first sign-in. The exit code: 1 when there was one before.
int MakeFirstAdmin(const std::string& database,
                   const IdentitySettings& settings,
                   const std::string& username);

}  // namespace mtp::order
