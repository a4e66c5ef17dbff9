#include "order_service/user_rows.h"

#include <sodium.h>

#include "common/base/protos.h"

namespace mtp::order {

constexpr std::string_view kColumns = R"(
  user_account.subject, user_account.username, user_account.role, user_account.password_hash,
  user_account.must_change_password, user_account.password_changed_at, user_account.disabled,
  user_account.disabled_at, user_account.failed_sign_ins, user_account.last_failed_at,
  user_account.locked_until, user_account.last_signed_in_at, user_account.version,
  user_account.created_by, user_account.created_by_username, user_account.created_by_role,
  user_account.created_at, user_account.changed_at
)";
const std::string_view kUserColumns = kColumns;

const db::Statement User::kLoad = db::Compose({"SELECT ", kColumns, R"(
  FROM admin.user_account
  WHERE subject = ANY ($1::uuid[]) OR role = ANY ($2::text[])
  ORDER BY subject
  FOR UPDATE
)"});

const db::Statement User::kInsert{R"(
  INSERT INTO admin.user_account (
    subject, username, role, password_hash, must_change_password, password_changed_at,
    created_by, created_by_username, created_by_role, created_at, changed_at)
  SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[],
    $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
)"};

const db::Statement User::kUpdate{R"(
  UPDATE admin.user_account SET
    username = fresh.username, role = fresh.role, password_hash = fresh.password_hash,
    must_change_password = fresh.must_change_password,
    password_changed_at = fresh.password_changed_at, disabled = fresh.disabled,
    disabled_at = fresh.disabled_at, failed_sign_ins = fresh.failed_sign_ins,
    last_failed_at = fresh.last_failed_at, locked_until = fresh.locked_until,
    last_signed_in_at = fresh.last_signed_in_at, version = fresh.version,
    changed_at = fresh.changed_at
  FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[],
    $7::boolean[], $8::timestamptz[], $9::bigint[], $10::timestamptz[],
    $11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::timestamptz[]
  ) AS fresh (
    subject, username, role, password_hash, must_change_password, password_changed_at,
    disabled, disabled_at, failed_sign_ins, last_failed_at, locked_until,
    last_signed_in_at, version, changed_at)
  WHERE user_account.subject = fresh.subject
)"};

const db::Statement User::kDelete{R"(
  DELETE FROM admin.user_account WHERE subject = ANY ($1::uuid[])
)"};

v1::User User::Shown(absl::Time now) const {
  v1::User proto;
  proto.set_subject(subject.ToString());
  proto.set_username(username);
  proto.set_role(role);
  proto.set_disabled(disabled);
  proto.set_must_change_password(must_change_password);
  if (guesses().Locked(now)) {
    *proto.mutable_locked_until() = ToProto(*locked_until);
  }
  if (last_signed_in_at) {
    *proto.mutable_last_signed_in_at() = ToProto(*last_signed_in_at);
  }
  *proto.mutable_created_at() = ToProto(created_at);
  *proto.mutable_updated_at() = ToProto(changed_at);
  proto.set_etag(etag());
  return proto;
}

int64_t UnknownSignIn::BucketOf(std::string_view folded_username,
                                std::string_view secret) {
  unsigned char digest[crypto_generichash_BYTES_MIN];
  crypto_generichash(
      digest, sizeof digest,
      reinterpret_cast<const unsigned char*>(folded_username.data()),
      folded_username.size(),
      reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  return digest[0] << 8 | digest[1];
}

const db::Statement UnknownSignIn::kLoad{R"(
  SELECT bucket, failed_sign_ins, last_failed_at, locked_until
  FROM admin.unknown_sign_in WHERE bucket = ANY ($1::bigint[])
  ORDER BY bucket
  FOR UPDATE
)"};
// Two replicas may meet the first of a bucket at once: one of them is lost,
// which costs a guesser nothing and gains him one guess.
const db::Statement UnknownSignIn::kInsert{R"(
  INSERT INTO admin.unknown_sign_in (bucket, failed_sign_ins, last_failed_at, locked_until)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
  ON CONFLICT DO NOTHING
)"};
const db::Statement UnknownSignIn::kUpdate{R"(
  UPDATE admin.unknown_sign_in SET
    failed_sign_ins = fresh.failed_sign_ins, last_failed_at = fresh.last_failed_at,
    locked_until = fresh.locked_until
  FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
    AS fresh (bucket, failed_sign_ins, last_failed_at, locked_until)
  WHERE unknown_sign_in.bucket = fresh.bucket
)"};

const db::Statement SignedIn::kLoad{R"(
  SELECT session_id, subject, created_at, last_refreshed_at, expires_at, ended_at,
         end_reason, client
  FROM admin.session
  WHERE session_id = ANY ($1::uuid[])
     OR subject = ANY ($2::uuid[]) AND ended_at IS NULL
  ORDER BY session_id
  FOR UPDATE
)"};
const db::Statement SignedIn::kInsert{R"(
  INSERT INTO admin.session (session_id, subject, created_at, last_refreshed_at, expires_at, client)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[],
                       $5::timestamptz[], $6::text[])
)"};
const db::Statement SignedIn::kUpdate{R"(
  UPDATE admin.session SET
    last_refreshed_at = fresh.last_refreshed_at, ended_at = fresh.ended_at,
    end_reason = fresh.end_reason
  FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[])
    AS fresh (session_id, last_refreshed_at, ended_at, end_reason)
  WHERE session.session_id = fresh.session_id
)"};

TokenDigest TokenDigest::Of(std::string_view token) {
  TokenDigest digest{std::string(crypto_hash_sha256_BYTES, '\0')};
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.bytes.data()),
                     reinterpret_cast<const unsigned char*>(token.data()),
                     token.size());
  return digest;
}

const db::Statement RefreshToken::kLoad{R"(
  SELECT token_digest, session_id, issued_at, expires_at, used_at
  FROM admin.refresh_token WHERE token_digest = ANY ($1::bytea[])
  ORDER BY token_digest
  FOR UPDATE
)"};
const db::Statement RefreshToken::kInsert{R"(
  INSERT INTO admin.refresh_token (token_digest, session_id, issued_at, expires_at)
  SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
)"};
const db::Statement RefreshTokenUse::kInsert{R"(
  UPDATE admin.refresh_token SET used_at = fresh.used_at
  FROM unnest($1::bytea[], $2::timestamptz[]) AS fresh (token_digest, used_at)
  WHERE refresh_token.token_digest = fresh.token_digest
)"};

const db::Statement Revocation::kLoad{R"(
  SELECT subject, username, disabled, revoked_before, version, changed_at
  FROM admin.revocation WHERE subject = ANY ($1::uuid[])
  ORDER BY subject
  FOR UPDATE
)"};
const db::Statement Revocation::kInsert{R"(
  INSERT INTO admin.revocation (subject, username, disabled, revoked_before, version, changed_at)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::timestamptz[],
                       $5::bigint[], $6::timestamptz[])
)"};
const db::Statement Revocation::kUpdate{R"(
  UPDATE admin.revocation SET
    username = fresh.username, disabled = fresh.disabled,
    revoked_before = fresh.revoked_before, version = fresh.version,
    changed_at = fresh.changed_at
  FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::timestamptz[], $5::bigint[],
              $6::timestamptz[])
    AS fresh (subject, username, disabled, revoked_before, version, changed_at)
  WHERE revocation.subject = fresh.subject
)"};

}  // namespace mtp::order
