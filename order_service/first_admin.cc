#include "order_service/first_admin.h"

#include <sodium.h>

#include <cstdio>

#include "CLI/CLI.hpp"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"
#include "order_service/passwords.h"

namespace mtp::order {
namespace {

// The latch, the account and the audit entry stand or fall together. A table
// with any account in it means that the time for this command is over.
constexpr db::Statement kMake{R"(
  WITH latch AS (
    INSERT INTO admin.first_admin (subject)
    SELECT $1::uuid WHERE NOT EXISTS (SELECT FROM admin.user_account)
    ON CONFLICT DO NOTHING RETURNING subject),
  account AS (
    INSERT INTO admin.user_account
      (subject, username, role, password_hash, must_change_password, created_by)
    SELECT subject, $2::text, 'MASTER_ADMIN', $3::text, true, 'first-admin'
    FROM latch RETURNING subject, username)
  INSERT INTO audit.entry (caller, method, entity_kind, entity_key, action, change)
  SELECT 'first-admin', 'order_service first-admin', 'user', subject::text, 'created',
         jsonb_build_object('username', username, 'role', 'MASTER_ADMIN')
  FROM account RETURNING entity_key
)"};

// 100 bits, in letters and digits that nobody confuses.
std::string NewPassword() {
  static constexpr std::string_view kAlphabet =
      "abcdefghijkmnpqrstuvwxyz23456789";
  constexpr int kLength = 20;
  std::string password;
  for (int i = 0; i < kLength; ++i) {
    password.push_back(kAlphabet[randombytes_uniform(kAlphabet.size())]);
  }
  return password;
}

// The password, or why no account was made.
absl::StatusOr<std::string> Make(const std::string& database,
                                 const IdentitySettings& settings,
                                 const std::string& username) {
  const std::string password = NewPassword();
  const PasswordHasher hasher({.memory_mib = settings.password_memory_mib,
                               .passes = settings.password_passes});
  ASSIGN_OR_RETURN(const std::string hash, hasher.Hash(password));
  ASSIGN_OR_RETURN(
      std::unique_ptr<db::Connection> connection,
      db::Connection::Open({.conninfo = database,
                            .application_name = "order_service first-admin"}));
  ASSIGN_OR_RETURN(
      const db::Result made,
      connection->Run(
          kMake,
          db::Params().Add(Uuid::V7(absl::Now())).Add(username).Add(hash)));
  if (made.empty()) {
    return absl::AlreadyExistsError(
        "there are accounts already; a MASTER_ADMIN makes further ones");
  }
  return password;
}

}  // namespace

CLI::App* AddFirstAdminCommand(CLI::App& app, std::string& username) {
  CLI::App* command = app.add_subcommand(
      "first-admin",
      "Makes the first MASTER_ADMIN, once, and prints its password");
  // So that the flags of the service may stand behind it, too.
  command->fallthrough();
  command->add_option("--username", username, "How the person signs in")
      ->required()
      ->check([](const std::string& name) {
        const bool good =
            !name.empty() && name.size() <= 64 &&
            name.find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "0123456789._-") == std::string::npos;
        return good ? "" : "1 to 64 letters, digits and . _ -";
      });
  return command;
}

int MakeFirstAdmin(const std::string& database,
                   const IdentitySettings& settings,
                   const std::string& username) {
  const absl::StatusOr<std::string> password =
      Make(database, settings, username);
  if (!password.ok()) {
    std::fprintf(stderr, "order_service first-admin: %s\n",
                 std::string(password.status().message()).c_str());
    return 1;
  }
  std::printf(
      "MASTER_ADMIN %s was made. Password, to be changed at the first "
      "sign-in:\n%s\n",
      username.c_str(), password->c_str());
  return 0;
}

}  // namespace mtp::order
