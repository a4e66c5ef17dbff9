#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/poller.h"
#include "common/db/connection.h"
#include "common/handlers/session.h"
#include "common/rpc/keys.h"
#include "common/rpc/token.h"
#include "mtp/order/v1/sessions.pb.h"

namespace mtp::order {

// A key that signs people's tokens, published from when it is made.
struct SigningKey {
  std::string key_id;
  std::string private_pem;
  std::string public_jwk;  // JSON
  absl::Time signs_from;
  absl::Time signs_until;
  absl::Time valid_until;  // no token of it is in force any more
  bool sealed = false;     // encrypted in the database
};

struct KeySchedule {
  absl::Duration signs = absl::Hours(24 * 30);
  // Every side that checks tokens has asked for the keys within this.
  absl::Duration lead = absl::Hours(24);
  absl::Duration token_lifetime = absl::Minutes(10);

  // When a key that signs from then on has no tokens left: they are accepted a
  // little longer than they say.
  absl::Time ValidUntil(absl::Time signs_until) const {
    return signs_until + token_lifetime + absl::Minutes(1);
  }
};

// From when the next key is to sign, if it is time to make it.
std::optional<absl::Time> NextKeySignsFrom(const std::vector<SigningKey>& keys,
                                           const KeySchedule& schedule,
                                           absl::Time now);
// The key that signs now: the latest that may, and whose tokens it outlives.
const SigningKey* SignerAt(const std::vector<SigningKey>& keys,
                           const KeySchedule& schedule, absl::Time now);

// A private key as the database has it: encrypted if there is a secret (32
// bytes), and back. What lies there unencrypted is read in either case.
std::string SealKey(const std::string& pem, const std::string& secret);
absl::StatusOr<std::string> UnsealKey(const std::string& sealed,
                                      const std::string& secret);
// The 32 bytes in a file of 64 hexadecimal digits.
absl::StatusOr<std::string> ReadKeySecret(const std::string& path);

// The order service's own keys, the same for all its replicas: they lie in its
// database, and whichever replica finds that the next one is due makes it,
// under a lock. Thread-safe.
class SigningKeys {
 public:
  struct Options {
    db::Connection::Options database;
    KeySchedule schedule;
    std::string secret;  // empty: none
    // Gets the public halves of all that may have signed a valid token.
    rpc::TokenKeyBoard* board = nullptr;
    Clock clock = SystemClock();
    // What another replica made is seen so soon.
    absl::Duration poll = absl::Seconds(1);
    std::function<void(const absl::Status&)> log_failure;
    std::function<void(const std::string& key_id)> log_made;
    std::function<void(const std::string& key_id)> log_sealed;
  };

  // Reads the keys, makes the first one if there is none, seals what was left
  // unencrypted by a time without a secret, and goes on looking.
  static absl::StatusOr<std::unique_ptr<SigningKeys>> Open(Options options);

  absl::StatusOr<std::string> Sign(const rpc::TokenRequest& request) const;
  std::vector<v1::JsonWebKey> Published() const;

 private:
  explicit SigningKeys(Options options);
  absl::Status Look();
  absl::StatusOr<std::vector<SigningKey>> Load(db::Connection& connection,
                                               absl::Time& now);
  bool NeedTurn(const std::vector<SigningKey>& keys, absl::Time now) const;
  // What only one replica at a time may do.
  absl::StatusOr<std::vector<SigningKey>> TakeTurn(db::Connection& connection);
  absl::Status Seal(SigningKey& key, db::Connection& connection);
  absl::StatusOr<SigningKey> Add(absl::Time signs_from,
                                 db::Connection& connection);

  const Options options_;
  handlers::Session session_;  // the poller's, after Open
  mutable std::mutex mutex_;
  std::vector<SigningKey> keys_;
  std::optional<Poller> poller_;  // the last: it uses all the others
};

}  // namespace mtp::order
