#include "order_service/first_admin.h"

#include <sodium.h>

#include <cstdio>

#include "CLI/CLI.hpp"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"
#include "order_service/errors.h"
#include "order_service/passwords.h"

namespace mtp::order {
namespace {

// Two that run at once must not both find nobody.
constexpr db::Statement kTakeTurn{
    "SELECT pg_advisory_xact_lock(hashtextextended('mtp.order.first_admin', "
    "0))"};

// The account, its audit entry and the note of the first use stand or fall
// together. A lock after wrong passwords ends by itself, so it does not count.
constexpr db::Statement kMake{R"(
  WITH needed AS (
    SELECT $1::uuid AS subject WHERE NOT EXISTS (
      SELECT FROM admin.user_account WHERE role = 'MASTER_ADMIN' AND NOT disabled)),
  first_use AS (
    INSERT INTO admin.first_admin (subject) SELECT subject FROM needed
    ON CONFLICT DO NOTHING),
  account AS (
    INSERT INTO admin.user_account
      (subject, username, role, password_hash, must_change_password, created_by)
    SELECT subject, $2::text, 'MASTER_ADMIN', $3::text, true, 'first-admin'
    FROM needed RETURNING subject, username)
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
  db::Exchange exchange;
  exchange.Add(kTakeTurn);
  const size_t made = exchange.Add(
      kMake, db::Params().Add(Uuid::V7(absl::Now())).Add(username).Add(hash));
  const absl::StatusOr<db::Results> results = connection->Run(exchange);
  RETURN_IF_ERROR(errors::OfConstraint(db::ConstraintName(results.status())));
  RETURN_IF_ERROR(results.status());
  if ((*results)[made].empty()) {
    return absl::AlreadyExistsError(
        "there is a MASTER_ADMIN who is not disabled, and who makes further "
        "accounts");
  }
  return password;
}

}  // namespace

CLI::App* AddFirstAdminCommand(CLI::App& app, std::string& username) {
  CLI::App* command = app.add_subcommand(
      "first-admin",
      "Makes a MASTER_ADMIN where none is left who could, and prints the "
      "password");
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
