#include "order_service/identity.h"

#include "common/base/status.h"
#include "order_service/session_calls.h"
#include "order_service/users.h"

namespace mtp::order {
namespace {

constexpr db::Statement kRevocationsChanged{R"(
  SELECT subject, disabled, revoked_before, 0::bigint, version, changed_at
  FROM admin.revocation
  WHERE $1::timestamptz IS NULL OR changed_at >= $1::timestamptz
)"};

constexpr db::Statement kLockoutSecret{
    "SELECT secret FROM admin.lockout_secret"};

absl::StatusOr<std::string> ReadLockoutSecret(
    const db::Connection::Options& database) {
  ASSIGN_OR_RETURN(const std::unique_ptr<db::Connection> connection,
                   db::Connection::Open(database));
  ASSIGN_OR_RETURN(const db::Result row, connection->Run(kLockoutSecret));
  return row[0].Get<db::Bytes>(0).value;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Identity>> Identity::Start(
    const IdentitySettings& settings, rpc::TokenSettings tokens,
    const db::Connection::Options& database, telemetry::Log& log,
    Commands& commands, Queries& queries, rpc::TokenKeyBoard& board,
    rpc::Revocations& revocations) {
  std::unique_ptr<Identity> identity(new Identity);
  if (!settings.embedded) {
    AddForeignUsers(commands, queries);
    AddForeignSessions(commands);
    return identity;
  }

  const auto failed = [&log](const char* what) {
    return [&log, what](const absl::Status& status) {
      log.Error(what, {{"error", std::string(status.message())}});
    };
  };
  std::string secret;
  if (!settings.signing_key_secret_file.empty()) {
    ASSIGN_OR_RETURN(secret, ReadKeySecret(settings.signing_key_secret_file));
  }
  ASSIGN_OR_RETURN(
      identity->keys_,
      SigningKeys::Open(
          {.database = database,
           .schedule = {.signs = absl::Seconds(settings.signing_key_seconds),
                        .lead =
                            absl::Seconds(settings.signing_key_lead_seconds),
                        .token_lifetime =
                            absl::Seconds(settings.access_token_seconds)},
           .secret = std::move(secret),
           .board = &board,
           .log_failure = failed("the signing keys cannot be read"),
           .log_made =
               [&log](const std::string& key_id) {
                 log.Info("a signing key was made", {{"key_id", key_id}});
               },
           .log_sealed =
               [&log](const std::string& key_id) {
                 log.Info(
                     "a signing key that lay in the database unencrypted was "
                     "encrypted",
                     {{"key_id", key_id}});
               }}));
  ASSIGN_OR_RETURN(
      identity->watch_,
      sync::RevocationWatch::Open(
          {.database = database,
           .changed = kRevocationsChanged,
           .revocations = &revocations,
           .log_failure = failed("the revocations cannot be read")}));
  identity->hasher_ = std::make_unique<PasswordHasher>(
      PasswordCost{.memory_mib = settings.password_memory_mib,
                   .passes = settings.password_passes});
  if (!identity->hasher_->CanHash()) {
    return absl::ResourceExhaustedError(
        "not enough memory to hash a password: see --password-memory-mib");
  }
  ASSIGN_OR_RETURN(std::string lockout_secret, ReadLockoutSecret(database));
  identity->pool_ = std::make_unique<PasswordPool>(
      settings.password_threads,
      static_cast<size_t>(settings.password_waiting_limit));
  identity->parts_.reset(
      new IdentityParts{.settings = settings,
                        .tokens = std::move(tokens),
                        .commands = commands,
                        .queries = queries,
                        .hasher = *identity->hasher_,
                        .pool = *identity->pool_,
                        .keys = *identity->keys_,
                        .revocations = revocations,
                        .lockout_secret = std::move(lockout_secret)});
  AddUsers(*identity->parts_);
  AddSessions(*identity->parts_);
  return identity;
}

void Identity::Drain() {
  if (pool_ != nullptr) pool_->Drain();
}

std::vector<db::Statement> IdentityRemovals() {
  static constexpr db::Statement kSessions{R"(
    DELETE FROM admin.session WHERE session_id = ANY (ARRAY(
      SELECT session_id FROM admin.session
      WHERE expires_at < now() - interval '1 day' LIMIT 1000))
  )"};
  static constexpr db::Statement kRefreshTokens{R"(
    DELETE FROM admin.refresh_token WHERE token_digest = ANY (ARRAY(
      SELECT token_digest FROM admin.refresh_token
      WHERE expires_at < now() - interval '1 day' LIMIT 1000))
  )"};
  return {kSessions, kRefreshTokens};
}

}  // namespace mtp::order
