#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "absl/strings/ascii.h"
#include "common/base/clock.h"
#include "common/db/result.h"
#include "common/db/table.h"
#include "mtp/order/v1/users.pb.h"
#include "order_service/lockout.h"

namespace mtp::order {

// Somebody who signs in here.
struct User {
  using Key = Uuid;

  Uuid subject;
  std::string username;
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;
  std::string password_hash;
  bool must_change_password = false;
  absl::Time password_changed_at;
  bool disabled = false;
  std::optional<absl::Time> disabled_at;
  int64_t failed_sign_ins = 0;
  std::optional<absl::Time> last_failed_at;
  std::optional<absl::Time> locked_until;
  std::optional<absl::Time> last_signed_in_at;
  int64_t version = 1;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time created_at;
  absl::Time changed_at;

  Key key() const { return subject; }
  std::string etag() const { return std::to_string(version); }
  // Usernames that differ in case alone are the same.
  std::string folded_username() const {
    return absl::AsciiStrToLower(username);
  }

  // What people see of the user changed.
  void Changed(absl::Time now) {
    ++version;
    changed_at = ChangeAfter(changed_at, now);
  }
  Guesses guesses() const {
    return {failed_sign_ins, last_failed_at, locked_until};
  }
  void Set(const Guesses& guesses) {
    failed_sign_ins = guesses.failed;
    last_failed_at = guesses.last_failed_at;
    locked_until = guesses.locked_until;
  }
  v1::User Shown(absl::Time now) const;

  static const db::Statement kLoad;  // $1 subjects, $2 roles; FOR UPDATE
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static const db::Statement kDelete;
  static constexpr auto kInserted = std::tuple(
      &User::subject, &User::username, &User::role, &User::password_hash,
      &User::must_change_password, &User::password_changed_at,
      &User::created_by, &User::created_by_username, &User::created_by_role,
      &User::created_at, &User::changed_at);
  static constexpr auto kUpdated = std::tuple(
      &User::subject, &User::username, &User::role, &User::password_hash,
      &User::must_change_password, &User::password_changed_at, &User::disabled,
      &User::disabled_at, &User::failed_sign_ins, &User::last_failed_at,
      &User::locked_until, &User::last_signed_in_at, &User::version,
      &User::changed_at);
  static constexpr auto kLoaded = std::tuple(
      &User::subject, &User::username, &User::role, &User::password_hash,
      &User::must_change_password, &User::password_changed_at, &User::disabled,
      &User::disabled_at, &User::failed_sign_ins, &User::last_failed_at,
      &User::locked_until, &User::last_signed_in_at, &User::version,
      &User::created_by, &User::created_by_username, &User::created_by_role,
      &User::created_at, &User::changed_at);
};

// The columns of User::kLoaded, of a table `user_account`.
extern const std::string_view kUserColumns;

// Wrong sign-ins under names that nobody has, by a few bits of the name.
struct UnknownSignIn {
  using Key = int64_t;

  int64_t bucket = 0;
  int64_t failed_sign_ins = 0;
  std::optional<absl::Time> last_failed_at;
  std::optional<absl::Time> locked_until;

  Key key() const { return bucket; }
  // `secret` has 32 bytes: without it nobody finds another name in the bucket.
  static int64_t BucketOf(std::string_view folded_username,
                          std::string_view secret);
  Guesses guesses() const {
    return {failed_sign_ins, last_failed_at, locked_until};
  }
  void Set(const Guesses& guesses) {
    failed_sign_ins = guesses.failed;
    last_failed_at = guesses.last_failed_at;
    locked_until = guesses.locked_until;
  }

  static const db::Statement kLoad;
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded =
      std::tuple(&UnknownSignIn::bucket, &UnknownSignIn::failed_sign_ins,
                 &UnknownSignIn::last_failed_at, &UnknownSignIn::locked_until);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated = kLoaded;
};

// One sign-in and all refreshes after it.
struct SignedIn {
  using Key = Uuid;

  Uuid session_id;
  Uuid subject;
  absl::Time created_at;
  absl::Time last_refreshed_at;
  absl::Time expires_at;
  std::optional<absl::Time> ended_at;
  std::optional<std::string> end_reason;
  std::string client;

  Key key() const { return session_id; }
  bool Open(absl::Time now) const {
    return !ended_at.has_value() && now < expires_at;
  }
  void End(absl::Time now, std::string_view reason) {
    ended_at = now;
    end_reason = std::string(reason);
  }

  static const db::Statement kLoad;  // $1 session ids, $2 subjects, all of
                                     // whose sessions that have not ended
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &SignedIn::session_id, &SignedIn::subject, &SignedIn::created_at,
      &SignedIn::last_refreshed_at, &SignedIn::expires_at, &SignedIn::ended_at,
      &SignedIn::end_reason, &SignedIn::client);
  static constexpr auto kInserted = std::tuple(
      &SignedIn::session_id, &SignedIn::subject, &SignedIn::created_at,
      &SignedIn::last_refreshed_at, &SignedIn::expires_at, &SignedIn::client);
  static constexpr auto kUpdated =
      std::tuple(&SignedIn::session_id, &SignedIn::last_refreshed_at,
                 &SignedIn::ended_at, &SignedIn::end_reason);
};

// SHA-256 of a refresh token: the token has 256 random bits, so nobody finds it
// by trying.
struct TokenDigest {
  std::string bytes;

  static TokenDigest Of(std::string_view token);
  auto Columns() const { return std::tuple(db::Bytes{bytes}); }
  auto operator<=>(const TokenDigest&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const TokenDigest& d) {
    return H::combine(std::move(h), d.bytes);
  }
};

struct RefreshToken {
  using Key = TokenDigest;

  db::Bytes token_digest;
  Uuid session_id;
  absl::Time issued_at;
  absl::Time expires_at;
  std::optional<absl::Time> used_at;

  Key key() const { return {token_digest.value}; }

  static const db::Statement kLoad;
  static const db::Statement kInsert;
  static constexpr auto kLoaded =
      std::tuple(&RefreshToken::token_digest, &RefreshToken::session_id,
                 &RefreshToken::issued_at, &RefreshToken::expires_at,
                 &RefreshToken::used_at);
  static constexpr auto kInserted =
      std::tuple(&RefreshToken::token_digest, &RefreshToken::session_id,
                 &RefreshToken::issued_at, &RefreshToken::expires_at);
};

// That a refresh token was used. Stored before the next one is: a session has
// one unused token at most.
struct RefreshTokenUse {
  db::Bytes token_digest;
  absl::Time used_at;

  static const db::Statement kInsert;
  static constexpr auto kInserted =
      std::tuple(&RefreshTokenUse::token_digest, &RefreshTokenUse::used_at);
};

// Whose tokens are refused; Seeduwa is told.
struct Revocation {
  using Key = Uuid;

  Uuid subject;
  std::string username;
  bool disabled = false;
  absl::Time revoked_before;
  int64_t version = 0;
  absl::Time changed_at;

  Key key() const { return subject; }

  static const db::Statement kLoad;
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded =
      std::tuple(&Revocation::subject, &Revocation::username,
                 &Revocation::disabled, &Revocation::revoked_before,
                 &Revocation::version, &Revocation::changed_at);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated = kLoaded;
};

}  // namespace mtp::order
