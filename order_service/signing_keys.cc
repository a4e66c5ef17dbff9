#include "order_service/signing_keys.h"

#include <sodium.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/rpc/base64url.h"
#include "nlohmann/json.hpp"

namespace mtp::order {
namespace {

using nlohmann::json;

constexpr db::Statement kBegin{"BEGIN"};
constexpr db::Statement kCommit{"COMMIT"};
constexpr db::Statement kRollback{"ROLLBACK"};
// The number is this lock's name, no more.
constexpr db::Statement kTakeTurn{
    "SELECT pg_advisory_xact_lock(hashtextextended('mtp.order.signing_key', "
    "0))"};
constexpr db::Statement kLoad{R"(
  SELECT now.now, key_id, private_key, public_jwk::text, signs_from, signs_until, valid_until
  FROM (SELECT now()) AS now
  LEFT JOIN admin.signing_key ON valid_until > now.now
  ORDER BY signs_from
)"};
constexpr db::Statement kInsert{R"(
  INSERT INTO admin.signing_key
    (key_id, private_key, public_jwk, signs_from, signs_until, valid_until)
  VALUES ($1::text, $2::bytea, $3::text::jsonb, $4::timestamptz, $5::timestamptz, $6::timestamptz)
)"};
constexpr db::Statement kSeal{
    "UPDATE admin.signing_key SET private_key = $2::bytea WHERE key_id = "
    "$1::text"};
constexpr db::Statement kRemoveOld{
    "DELETE FROM admin.signing_key WHERE valid_until < now()"};

// The first byte of a sealed key; PEM begins with a dash.
constexpr char kSealed = '\x01';
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

bool IsSealed(const std::string& bytes) {
  return !bytes.empty() && bytes.front() == kSealed;
}

const unsigned char* Data(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Data(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

absl::StatusOr<SigningKey> MakeKey(absl::Time signs_from,
                                   const KeySchedule& schedule) {
  std::string random(12, '\0');
  randombytes_buf(random.data(), random.size());
  SigningKey key{
      .key_id = rpc::Base64UrlEncode(random),
      .private_pem = rpc::MakeEs256Key(),
      .public_jwk = "",
      .signs_from = signs_from,
      .signs_until = signs_from + schedule.signs,
      .valid_until = schedule.ValidUntil(signs_from + schedule.signs)};
  ASSIGN_OR_RETURN(const std::string set,
                   rpc::JwksFromPem(key.private_pem, key.key_id));
  key.public_jwk = json::parse(set)["keys"][0].dump();
  return key;
}

absl::StatusOr<rpc::TokenKeys> PublicKeys(const std::vector<SigningKey>& keys) {
  json set = {{"keys", json::array()}};
  for (const SigningKey& key : keys) {
    set["keys"].push_back(json::parse(key.public_jwk, nullptr, false));
  }
  return rpc::ParseJwks(set.dump());
}

}  // namespace

std::optional<absl::Time> NextKeySignsFrom(const std::vector<SigningKey>& keys,
                                           const KeySchedule& schedule,
                                           absl::Time now) {
  absl::Time covered = absl::InfinitePast();
  for (const SigningKey& key : keys) {
    // A longer life of tokens than it was made for ends its signing earlier.
    covered = std::max(
        covered,
        std::min(key.signs_until, key.valid_until - schedule.token_lifetime));
  }
  if (covered <= now) return now;
  if (covered - schedule.lead <= now) return covered;
  return std::nullopt;
}

const SigningKey* SignerAt(const std::vector<SigningKey>& keys,
                           const KeySchedule& schedule, absl::Time now) {
  const SigningKey* signer = nullptr;
  for (const SigningKey& key : keys) {
    if (key.signs_from > now || now + schedule.token_lifetime > key.valid_until)
      continue;
    if (signer == nullptr || key.signs_from > signer->signs_from) signer = &key;
  }
  return signer;
}

std::string SealKey(const std::string& pem, const std::string& secret) {
  if (secret.empty()) return pem;
  std::string nonce(crypto_secretbox_NONCEBYTES, '\0');
  randombytes_buf(nonce.data(), nonce.size());
  std::string box(pem.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(Data(box), Data(pem), pem.size(), Data(nonce),
                        Data(secret));
  std::string sealed(1, kSealed);
  sealed.append(nonce);
  sealed.append(box);
  return sealed;
}

absl::StatusOr<std::string> UnsealKey(const std::string& sealed,
                                      const std::string& secret) {
  if (!IsSealed(sealed)) return sealed;
  constexpr size_t kBox = 1 + crypto_secretbox_NONCEBYTES;
  if (secret.empty()) {
    return absl::FailedPreconditionError(
        "the signing keys in the database are encrypted: "
        "--signing-key-secret-file is needed");
  }
  if (sealed.size() < kBox + crypto_secretbox_MACBYTES) {
    return absl::DataLossError("a signing key in the database is cut off");
  }
  std::string pem(sealed.size() - kBox - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(Data(pem), Data(sealed) + kBox,
                                 sealed.size() - kBox, Data(sealed) + 1,
                                 Data(secret)) != 0) {
    return absl::FailedPreconditionError(
        "the signing keys in the database were encrypted with another secret "
        "than --signing-key-secret-file has");
  }
  return pem;
}

absl::StatusOr<std::string> ReadKeySecret(const std::string& path) {
  std::ifstream file(path);
  std::string digits;
  file >> digits;
  if (digits.size() != 2 * crypto_secretbox_KEYBYTES ||
      !std::all_of(digits.begin(), digits.end(),
                   [](unsigned char c) { return std::isxdigit(c) != 0; })) {
    return absl::InvalidArgumentError(
        absl::StrCat("--signing-key-secret-file ", path,
                     " does not hold 64 hexadecimal digits"));
  }
  return absl::HexStringToBytes(digits);
}

absl::StatusOr<std::unique_ptr<SigningKeys>> SigningKeys::Open(
    Options options) {
  std::unique_ptr<SigningKeys> keys(new SigningKeys(std::move(options)));
  RETURN_IF_ERROR(keys->Look());
  keys->poller_.emplace(
      Poller::Options{.poll = keys->options_.poll,
                      .look = [k = keys.get()] { return k->Look(); },
                      .log_failure = keys->options_.log_failure});
  return keys;
}

SigningKeys::SigningKeys(Options options)
    : options_(std::move(options)), session_(options_.database) {}

absl::StatusOr<std::vector<SigningKey>> SigningKeys::Load(
    db::Connection& connection, absl::Time& now) {
  ASSIGN_OR_RETURN(const db::Result result, connection.Run(kLoad));
  std::vector<SigningKey> keys;
  for (const db::Row row : result) {
    std::optional<std::string> key_id, jwk;
    std::optional<db::Bytes> sealed;
    std::optional<absl::Time> signs_from, signs_until, valid_until;
    row.Into(now, key_id, sealed, jwk, signs_from, signs_until, valid_until);
    if (!key_id.has_value()) continue;  // there is no key
    ASSIGN_OR_RETURN(std::string pem,
                     UnsealKey(sealed->value, options_.secret));
    keys.push_back({.key_id = *key_id,
                    .private_pem = std::move(pem),
                    .public_jwk = *jwk,
                    .signs_from = *signs_from,
                    .signs_until = *signs_until,
                    .valid_until = *valid_until,
                    .sealed = IsSealed(sealed->value)});
  }
  return keys;
}

bool SigningKeys::NeedTurn(const std::vector<SigningKey>& keys,
                           absl::Time now) const {
  if (NextKeySignsFrom(keys, options_.schedule, now).has_value()) return true;
  return !options_.secret.empty() &&
         std::any_of(keys.begin(), keys.end(),
                     [](const SigningKey& key) { return !key.sealed; });
}

absl::Status SigningKeys::Seal(SigningKey& key, db::Connection& connection) {
  RETURN_IF_ERROR(connection
                      .Run(kSeal, db::Params()
                                      .Add(key.key_id)
                                      .Add(db::Bytes{SealKey(key.private_pem,
                                                             options_.secret)}))
                      .status());
  key.sealed = true;
  if (options_.log_sealed) options_.log_sealed(key.key_id);
  return absl::OkStatus();
}

absl::StatusOr<SigningKey> SigningKeys::Add(absl::Time signs_from,
                                            db::Connection& connection) {
  ASSIGN_OR_RETURN(SigningKey made, MakeKey(signs_from, options_.schedule));
  const std::string kept = SealKey(made.private_pem, options_.secret);
  made.sealed = IsSealed(kept);
  RETURN_IF_ERROR(connection
                      .Run(kInsert, db::Params()
                                        .Add(made.key_id)
                                        .Add(db::Bytes{kept})
                                        .Add(made.public_jwk)
                                        .Add(made.signs_from)
                                        .Add(made.signs_until)
                                        .Add(made.valid_until))
                      .status());
  if (options_.log_made) options_.log_made(made.key_id);
  return made;
}

// Under the lock, for another replica may have done it meanwhile.
absl::StatusOr<std::vector<SigningKey>> SigningKeys::TakeTurn(
    db::Connection& connection) {
  RETURN_IF_ERROR(connection.Run(kTakeTurn).status());
  absl::Time now;
  ASSIGN_OR_RETURN(std::vector<SigningKey> keys, Load(connection, now));
  while (const auto signs_from =
             NextKeySignsFrom(keys, options_.schedule, now)) {
    ASSIGN_OR_RETURN(SigningKey made, Add(*signs_from, connection));
    keys.push_back(std::move(made));
  }
  if (!options_.secret.empty()) {
    for (SigningKey& key : keys) {
      if (!key.sealed) RETURN_IF_ERROR(Seal(key, connection));
    }
  }
  RETURN_IF_ERROR(connection.Run(kRemoveOld).status());
  RETURN_IF_ERROR(connection.Run(kCommit).status());
  return keys;
}

absl::Status SigningKeys::Look() {
  ASSIGN_OR_RETURN(db::Connection * connection, session_.Get());
  absl::Time now;
  ASSIGN_OR_RETURN(std::vector<SigningKey> keys, Load(*connection, now));
  if (NeedTurn(keys, now)) {
    RETURN_IF_ERROR(connection->Run(kBegin).status());
    absl::StatusOr<std::vector<SigningKey>> tended = TakeTurn(*connection);
    if (!tended.ok()) {
      if (connection->alive() && !connection->Run(kRollback).ok())
        session_.Drop();
      return tended.status();
    }
    keys = *std::move(tended);
  }
  ASSIGN_OR_RETURN(rpc::TokenKeys published, PublicKeys(keys));
  options_.board->Put(std::move(published));
  std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
  return absl::OkStatus();
}

absl::StatusOr<std::string> SigningKeys::Sign(
    const rpc::TokenRequest& request) const {
  std::string pem, key_id;
  {
    std::lock_guard lock(mutex_);
    const SigningKey* key =
        SignerAt(keys_, options_.schedule, options_.clock());
    if (key == nullptr) {
      return errors::Unavailable("SIGNING_KEY_MISSING",
                                 "there is no key that could sign a token now",
                                 kRetryDelay);
    }
    pem = key->private_pem;
    key_id = key->key_id;
  }
  return rpc::SignToken(request, pem, key_id);
}

std::vector<v1::JsonWebKey> SigningKeys::Published() const {
  std::vector<v1::JsonWebKey> published;
  std::lock_guard lock(mutex_);
  for (const SigningKey& key : keys_) {
    const json jwk = json::parse(key.public_jwk, nullptr, false);
    v1::JsonWebKey& proto = published.emplace_back();
    proto.set_kid(jwk.value("kid", ""));
    proto.set_kty(jwk.value("kty", ""));
    proto.set_crv(jwk.value("crv", ""));
    proto.set_alg(jwk.value("alg", ""));
    proto.set_use(jwk.value("use", ""));
    proto.set_x(jwk.value("x", ""));
    proto.set_y(jwk.value("y", ""));
  }
  return published;
}

}  // namespace mtp::order
