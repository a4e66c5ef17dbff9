#include "order_service/settings.h"

#include "CLI/CLI.hpp"

namespace mtp::order {
namespace {

void AddIdentityFlags(CLI::App& app, const std::string& prefix,
                      IdentitySettings& identity) {
  const auto number = [&](const char* flag, const char* variable, int& value,
                          int least, int most, const char* help) {
    app.add_option(flag, value, help)
        ->envname(prefix + variable)
        ->check(CLI::Range(least, most))
        ->capture_default_str()
        ->group("Identity");
  };
  number("--access-token-seconds", "_ACCESS_TOKEN_SECONDS",
         identity.access_token_seconds, 1, 86'400,
         "For how long an access token is accepted");
  number("--refresh-token-hours", "_REFRESH_TOKEN_HOURS",
         identity.refresh_token_hours, 1, 8'760,
         "For how long a refresh token may lie unused");
  number("--session-days", "_SESSION_DAYS", identity.session_days, 1, 365,
         "After how long a person must sign in again in any case");
  number("--password-memory-mib", "_PASSWORD_MEMORY_MIB",
         identity.password_memory_mib, 1, 4096,
         "Memory of one password hash (Argon2id); raised, passwords are hashed "
         "anew at the next sign-in");
  number("--password-passes", "_PASSWORD_PASSES", identity.password_passes, 1,
         100, "Passes of one password hash over that memory");
  number("--password-threads", "_PASSWORD_THREADS", identity.password_threads,
         1, 64, "Passwords hashed at one time, each with that memory");
  number("--password-waiting-limit", "_PASSWORD_WAITING_LIMIT",
         identity.password_waiting_limit, 1, 10'000,
         "Passwords that may wait to be hashed; one more is refused at once");
  number("--lock-after", "_LOCK_AFTER", identity.lock_after, 1, 1000,
         "Wrong passwords in a row after which a name is locked for a while");
  number("--lock-seconds", "_LOCK_SECONDS", identity.lock_seconds, 1, 86'400,
         "For how long the first time; each further wrong password doubles it");
  number("--lock-limit-seconds", "_LOCK_LIMIT_SECONDS",
         identity.lock_limit_seconds, 1, 604'800, "For how long at most");
  number("--signing-key-seconds", "_SIGNING_KEY_SECONDS",
         identity.signing_key_seconds, 2, 31'536'000,
         "For how long a key signs tokens before the next one does");
  number("--signing-key-lead-seconds", "_SIGNING_KEY_LEAD_SECONDS",
         identity.signing_key_lead_seconds, 1, 31'536'000,
         "How long before it signs a key is published; more than Seeduwa's "
         "--grandpass-keys-seconds");
  app.add_option("--signing-key-secret-file", identity.signing_key_secret_file,
                 "File with 32 bytes, as 64 hexadecimal digits, that encrypt "
                 "the private keys in the database; empty: not encrypted")
      ->envname(prefix + "_SIGNING_KEY_SECRET_FILE")
      ->capture_default_str()
      ->group("Identity");
}

}  // namespace

void AddFlags(CLI::App& app, const std::string& prefix, Settings& settings) {
  app.add_option(
         "--closed-short-tolerance-ppm", settings.closed_short_tolerance_ppm,
         "A dispatch that leaves at most this part of the quantity behind, in "
         "millionths, closes the shipment short instead of splitting it")
      ->envname(prefix + "_CLOSED_SHORT_TOLERANCE_PPM")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--plan-import-row-limit", settings.plan_import_row_limit,
                 "Rows of one planning file")
      ->envname(prefix + "_PLAN_IMPORT_ROW_LIMIT")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--request-import-row-limit",
                 settings.request_import_row_limit,
                 "Rows of one file of open orders")
      ->envname(prefix + "_REQUEST_IMPORT_ROW_LIMIT")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  AddIdentityFlags(app, prefix, settings.identity);
}

}  // namespace mtp::order
