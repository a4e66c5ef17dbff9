#pragma once

#include <memory>
#include <string>

#include "common/handlers/queries.h"
#include "common/rpc/keys.h"
#include "common/rpc/revocations.h"
#include "common/rpc/token.h"
#include "common/sync/revocation_watch.h"
#include "common/telemetry/log.h"
#include "order_service/passwords.h"
#include "order_service/rows.h"
#include "order_service/signing_keys.h"

// The order service's own identity: users, their sessions, the keys that sign
// their tokens.
namespace mtp::order {

// What UserService and SessionService work with.
struct IdentityParts {
  const IdentitySettings& settings;
  // What the tokens say besides whose they are.
  rpc::TokenSettings tokens;
  Commands& commands;
  Queries& queries;
  const PasswordHasher& hasher;
  PasswordPool& pool;
  const SigningKeys& keys;
  rpc::Revocations& revocations;
  // Of UnknownSignIn::BucketOf.
  std::string lockout_secret;
};

// Embedded, or switched off for the company's provider. Made before the
// server answers; serves as long as it stands.
class Identity {
 public:
  // `tokens`: what they say besides whose they are. They are checked by the
  // `board` and the `revocations`; all that is handed over outlives this.
  static absl::StatusOr<std::unique_ptr<Identity>> Start(
      const IdentitySettings& settings, rpc::TokenSettings tokens,
      const db::Connection::Options& database, telemetry::Log& log,
      Commands& commands, Queries& queries, rpc::TokenKeyBoard& board,
      rpc::Revocations& revocations);

  // Finishes what is being hashed.
  void Drain();

 private:
  Identity() = default;

  std::unique_ptr<PasswordHasher> hasher_;
  std::unique_ptr<PasswordPool> pool_;
  std::unique_ptr<SigningKeys> keys_;
  std::unique_ptr<sync::RevocationWatch> watch_;
  std::unique_ptr<IdentityParts> parts_;
};

// Removes sessions and refresh tokens that expired (host::Service::removals).
std::vector<db::Statement> IdentityRemovals();

}  // namespace mtp::order
