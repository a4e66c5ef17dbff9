#pragma once

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/call.h"
#include "common/rpc/keys.h"

namespace mtp::rpc {

// What a checked token says.
struct TokenClaims {
  std::string subject;  // a UUID
  std::string username;
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;
  // The infinite past when the token does not say.
  absl::Time issued_at = absl::InfinitePast();
  absl::Time expires_at;
  // As rpc::Caller has them.
  std::string session_id = {};
  bool must_change_password = false;
};

struct TokenSettings {
  std::string issuer = "mtp-local";
  std::string audience = "mtp";
  // The claim that names the role: one role (`GRANDPASS_OFFICER`), or a list
  // with exactly one that is known here.
  std::string role_claim = "role";
  // Good tokens remembered, the latest: some 500 bytes each.
  size_t remembered = 10'000;
};

// An issuer of tokens and its keys. They vouch for its tokens alone.
struct TokenIssuer {
  TokenSettings settings;
  const TokenKeySource* keys = nullptr;  // outlives who checks
};

// Checks people's tokens: JSON Web Tokens signed with ES256 or RS256 by a key
// of an issuer's, for this audience, by that issuer, in force (give or take 30
// seconds between clocks). A token found good is remembered by its digest
// until it expires or the issuer's keys change. Thread-safe, never blocks on
// I/O.
class TokenVerifier {
 public:
  explicit TokenVerifier(std::vector<TokenIssuer> issuers,
                         Clock clock = SystemClock());
  // Of one issuer.
  TokenVerifier(TokenSettings settings, const TokenKeySource* keys,
                Clock clock = SystemClock());

  // UNAUTHENTICATED with one of the reasons TOKEN_MALFORMED, TOKEN_ALGORITHM,
  // TOKEN_KEY_UNKNOWN, TOKEN_SIGNATURE, TOKEN_ISSUER, TOKEN_AUDIENCE,
  // TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, TOKEN_SUBJECT, TOKEN_ROLE.
  absl::StatusOr<TokenClaims> Verify(std::string_view token);

  // The number of tokens remembered.
  size_t Remembered() const;

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Entry {
    TokenClaims claims;
    const TokenKeySource* keys;
    uint64_t keys_number;
  };

  absl::StatusOr<Entry> Check(std::string_view token, absl::Time now) const;
  std::optional<TokenClaims> Recall(const Digest& digest, absl::Time now);
  void Remember(const Digest& digest, Entry entry);

  const std::vector<TokenIssuer> issuers_;
  const size_t remembered_limit_;
  const Clock clock_;

  mutable std::mutex mutex_;
  absl::flat_hash_map<Digest, Entry> good_;
  std::deque<Digest> oldest_first_;
};

// What a new token shall say.
struct TokenRequest {
  std::string issuer = "mtp-local";
  std::string audience = "mtp";
  std::string subject;
  std::string username;
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;
  std::string role_claim = "role";
  absl::Time issued_at;
  absl::Duration lifetime = absl::Hours(1);
  // As rpc::Caller has them.
  std::string session_id = {};
  bool must_change_password = false;
};

// Signs with ES256. `pem` is a P-256 private key, `kid` its name in the key
// set.
absl::StatusOr<std::string> SignToken(const TokenRequest& request,
                                      std::string_view pem,
                                      std::string_view kid);

// Signs any header and claims (JSON) so.
absl::StatusOr<std::string> SignJws(std::string_view header,
                                    std::string_view claims,
                                    std::string_view pem);

// `GRANDPASS_OFFICER` for ROLE_GRANDPASS_OFFICER, and back (UNSPECIFIED for a
// name that is no role's).
std::string RoleName(options::v1::Role role);
options::v1::Role ParseRoleName(std::string_view name);

}  // namespace mtp::rpc
