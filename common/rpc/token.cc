#include "common/rpc/token.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <cmath>
#include <utility>
#include <vector>

#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/rpc/base64url.h"
#include "nlohmann/json.hpp"

namespace mtp::rpc {
namespace {

using nlohmann::json;

// Identity providers stay well below; more is an attempt to keep us busy.
constexpr size_t kTokenLimit = 8 << 10;
constexpr size_t kUsernameLimit = 256;
constexpr absl::Duration kLeeway = absl::Seconds(30);
constexpr size_t kEs256Half = 32;
constexpr char kMustChangePassword[] = "must_change_password";

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using MdPtr = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;

absl::Status Refused(std::string_view reason, std::string_view message) {
  return errors::Unauthenticated(reason, message);
}

absl::Status Malformed() {
  return Refused("TOKEN_MALFORMED", "the token is not a JSON Web Token");
}

const uint8_t* Data(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

// r and s of 32 bytes each, as JWS has them, to the DER that OpenSSL reads.
// Empty when it is not such a pair.
std::string EcSignatureToDer(std::string_view raw) {
  if (raw.size() != 2 * kEs256Half) return "";
  const SignaturePtr signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(Data(raw), kEs256Half, nullptr);
  BIGNUM* s = BN_bin2bn(Data(raw) + kEs256Half, kEs256Half, nullptr);
  if (ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return "";
  }
  const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
  if (size <= 0) return "";
  std::string der(static_cast<size_t>(size), '\0');
  auto* out = reinterpret_cast<uint8_t*>(der.data());
  i2d_ECDSA_SIG(signature.get(), &out);
  return der;
}

bool SignatureHolds(const TokenKey& key, std::string_view signed_part,
                    std::string_view signature) {
  std::string der;
  if (key.algorithm == TokenAlgorithm::kEs256) {
    der = EcSignatureToDer(signature);
    if (der.empty()) return false;
    signature = der;
  }
  const MdPtr context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                              key.key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Data(signature), signature.size(),
                          Data(signed_part), signed_part.size()) == 1;
}

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_part;
};

std::optional<Parts> Split(std::string_view token) {
  const size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_part = token.substr(0, second)};
}

// The JSON object in a base64url part; a discarded value when it is none.
json ObjectIn(std::string_view part) {
  const auto bytes = Base64UrlDecode(part);
  if (!bytes.has_value()) return json(json::value_t::discarded);
  json value = json::parse(*bytes, nullptr, /*allow_exceptions=*/false);
  return value.is_object() ? value : json(json::value_t::discarded);
}

std::string Text(const json& object, std::string_view name) {
  const auto it = object.find(std::string(name));
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// Seconds since 1970; nothing when absent or no sensible number.
std::optional<absl::Time> TimeIn(const json& object, const char* name) {
  constexpr double kYear9999 = 253'402'300'799.0;
  const auto it = object.find(name);
  if (it == object.end() || !it->is_number()) return std::nullopt;
  const double seconds = it->get<double>();
  if (!(seconds >= 0 && seconds <= kYear9999)) return std::nullopt;
  return absl::FromUnixMicros(std::llround(seconds * 1e6));
}

// To the microsecond, for what is revoked in the very second: RFC 7519 allows
// fractions, and a double holds these.
json Seconds(absl::Time time) {
  const int64_t micros = absl::ToUnixMicros(time);
  if (micros % 1'000'000 == 0) return micros / 1'000'000;
  return static_cast<double>(micros) / 1e6;
}

// Text that is not UTF-8 is mended rather than thrown about.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool NamesAudience(const json& claims, const std::string& audience) {
  const auto it = claims.find("aud");
  if (it == claims.end()) return false;
  if (it->is_string()) return it->get<std::string>() == audience;
  if (!it->is_array()) return false;
  for (const json& one : *it) {
    if (one.is_string() && one.get<std::string>() == audience) return true;
  }
  return false;
}

options::v1::Role RoleIn(const json& claims, const std::string& claim) {
  const auto it = claims.find(claim);
  if (it == claims.end()) return options::v1::ROLE_UNSPECIFIED;
  if (it->is_string()) return ParseRoleName(it->get<std::string>());
  options::v1::Role found = options::v1::ROLE_UNSPECIFIED;
  if (!it->is_array()) return found;
  for (const json& one : *it) {
    if (!one.is_string()) continue;
    const options::v1::Role role = ParseRoleName(one.get<std::string>());
    if (role == options::v1::ROLE_UNSPECIFIED || role == found) continue;
    if (found != options::v1::ROLE_UNSPECIFIED) {
      return options::v1::ROLE_UNSPECIFIED;
    }
    found = role;
  }
  return found;
}

}  // namespace

std::string RoleName(options::v1::Role role) {
  constexpr size_t kPrefix = sizeof("ROLE_") - 1;
  const std::string& name = options::v1::Role_Name(role);
  return name.size() > kPrefix ? name.substr(kPrefix) : "";
}

options::v1::Role ParseRoleName(std::string_view name) {
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;
  options::v1::Role_Parse("ROLE_" + std::string(name), &role);
  return role;
}

TokenVerifier::TokenVerifier(std::vector<TokenIssuer> issuers, Clock clock)
    : issuers_(std::move(issuers)),
      remembered_limit_(
          issuers_.empty() ? 0 : issuers_.front().settings.remembered),
      clock_(std::move(clock)) {}

TokenVerifier::TokenVerifier(TokenSettings settings, const TokenKeySource* keys,
                             Clock clock)
    : TokenVerifier(std::vector<TokenIssuer>{{std::move(settings), keys}},
                    std::move(clock)) {}

absl::StatusOr<TokenClaims> TokenVerifier::Verify(std::string_view token) {
  if (token.size() > kTokenLimit) {
    return Refused("TOKEN_MALFORMED", "the token is longer than 8 KiB");
  }
  const absl::Time now = clock_();
  Digest digest;
  SHA256(Data(token), token.size(), digest.data());
  if (auto claims = Recall(digest, now)) return *std::move(claims);
  ASSIGN_OR_RETURN(Entry entry, Check(token, now));
  TokenClaims claims = entry.claims;
  Remember(digest, std::move(entry));
  return claims;
}

absl::StatusOr<TokenVerifier::Entry> TokenVerifier::Check(
    std::string_view token, absl::Time now) const {
  const std::optional<Parts> parts = Split(token);
  if (!parts.has_value()) return Malformed();
  const json header = ObjectIn(parts->header);
  if (header.is_discarded()) return Malformed();
  // An extension that must be understood is one that is not.
  if (header.contains("crit")) return Malformed();

  // The issuer that the token names, if it has the key; else whichever has it,
  // which then is not the one named.
  const std::string kid = Text(header, "kid");
  const json claims = ObjectIn(parts->payload);
  const std::string named = claims.is_discarded() ? "" : Text(claims, "iss");
  const TokenIssuer* issuer = nullptr;
  std::shared_ptr<const TokenKeySource::Reading> reading;
  for (const TokenIssuer& one : issuers_) {
    auto its = one.keys->Current();
    const bool is_named = one.settings.issuer == named;
    if (!its->keys.contains(kid)) {
      if (is_named) one.keys->Missed();
    } else if (issuer == nullptr || is_named) {
      issuer = &one;
      reading = std::move(its);
    }
  }
  if (issuer == nullptr) {
    return Refused("TOKEN_KEY_UNKNOWN",
                   "the token is signed with a key that is not known here");
  }
  const auto key = reading->keys.find(kid);
  if (Text(header, "alg") != TokenAlgorithmName(key->second.algorithm)) {
    return Refused("TOKEN_ALGORITHM",
                   "the token names another algorithm than its key has");
  }
  const auto signature = Base64UrlDecode(parts->signature);
  if (!signature.has_value()) return Malformed();
  if (!SignatureHolds(key->second, parts->signed_part, *signature)) {
    return Refused("TOKEN_SIGNATURE", "the token's signature is wrong");
  }

  if (claims.is_discarded()) return Malformed();
  const TokenSettings& settings = issuer->settings;
  if (named != settings.issuer) {
    return Refused("TOKEN_ISSUER", "the token is from another issuer");
  }
  if (!NamesAudience(claims, settings.audience)) {
    return Refused("TOKEN_AUDIENCE", "the token is for another audience");
  }
  const auto expires_at = TimeIn(claims, "exp");
  if (!expires_at.has_value()) {
    return Refused("TOKEN_EXPIRED", "the token does not say when it expires");
  }
  if (now >= *expires_at + kLeeway) {
    return Refused("TOKEN_EXPIRED", "the token has expired; sign in again");
  }
  const auto not_before = TimeIn(claims, "nbf");
  if (claims.contains("nbf") &&
      (!not_before.has_value() || now < *not_before - kLeeway)) {
    return Refused("TOKEN_NOT_YET_VALID", "the token is not valid yet");
  }
  const auto subject = Uuid::Parse(Text(claims, "sub"));
  if (!subject.has_value() || subject->IsNil()) {
    return Refused("TOKEN_SUBJECT", "the token's subject is not a UUID");
  }
  const options::v1::Role role = RoleIn(claims, settings.role_claim);
  if (role == options::v1::ROLE_UNSPECIFIED) {
    return Refused("TOKEN_ROLE",
                   "the token does not name exactly one role known here");
  }
  std::string username = Text(claims, "username");
  if (username.empty()) username = subject->ToString();
  if (username.size() > kUsernameLimit ||
      username.find('\0') != std::string::npos) {
    return Malformed();
  }
  const auto must_change = claims.find(kMustChangePassword);
  return Entry{
      .claims = {.subject = subject->ToString(),
                 .username = std::move(username),
                 .role = role,
                 .issued_at =
                     TimeIn(claims, "iat").value_or(absl::InfinitePast()),
                 .expires_at = *expires_at,
                 .session_id = Text(claims, "sid"),
                 .must_change_password =
                     must_change != claims.end() && *must_change == true},
      .keys = issuer->keys,
      .keys_number = reading->number};
}

std::optional<TokenClaims> TokenVerifier::Recall(const Digest& digest,
                                                 absl::Time now) {
  std::lock_guard lock(mutex_);
  const auto it = good_.find(digest);
  if (it == good_.end() ||
      it->second.keys_number != it->second.keys->Number() ||
      now >= it->second.claims.expires_at + kLeeway) {
    return std::nullopt;
  }
  return it->second.claims;
}

void TokenVerifier::Remember(const Digest& digest, Entry entry) {
  std::lock_guard lock(mutex_);
  const auto [it, is_new] = good_.insert_or_assign(digest, std::move(entry));
  if (!is_new) return;
  oldest_first_.push_back(digest);
  if (oldest_first_.size() > remembered_limit_) {
    good_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
}

size_t TokenVerifier::Remembered() const {
  std::lock_guard lock(mutex_);
  return good_.size();
}

absl::StatusOr<std::string> SignToken(const TokenRequest& request,
                                      std::string_view pem,
                                      std::string_view kid) {
  const json header = {
      {"alg", "ES256"}, {"typ", "JWT"}, {"kid", std::string(kid)}};
  json claims = {
      {"iss", request.issuer},
      {"aud", request.audience},
      {"sub", request.subject},
      {"username", request.username},
      {request.role_claim, RoleName(request.role)},
      {"iat", Seconds(request.issued_at)},
      {"exp", absl::ToUnixSeconds(request.issued_at + request.lifetime)}};
  if (!request.session_id.empty()) claims["sid"] = request.session_id;
  if (request.must_change_password) claims[kMustChangePassword] = true;
  return SignJws(Dump(header), Dump(claims), pem);
}

absl::StatusOr<std::string> SignJws(std::string_view header,
                                    std::string_view claims,
                                    std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const KeyPtr key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr || !EVP_PKEY_is_a(key.get(), "EC") ||
      EVP_PKEY_get_bits(key.get()) != 256) {
    return absl::InvalidArgumentError(
        "the signing key is not a P-256 private key in PEM");
  }
  const std::string token =
      Base64UrlEncode(header) + "." + Base64UrlEncode(claims);

  const MdPtr context(EVP_MD_CTX_new());
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                         key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, Data(token),
                     token.size()) != 1) {
    return absl::InternalError("OpenSSL cannot sign with this key");
  }
  std::vector<uint8_t> der(size);
  if (EVP_DigestSign(context.get(), der.data(), &size, Data(token),
                     token.size()) != 1) {
    return absl::InternalError("OpenSSL cannot sign with this key");
  }
  const uint8_t* in = der.data();
  const SignaturePtr signature(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(size)));
  std::string raw(2 * kEs256Half, '\0');
  auto* out = reinterpret_cast<uint8_t*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kEs256Half);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kEs256Half, kEs256Half);
  return token + "." + Base64UrlEncode(raw);
}

}  // namespace mtp::rpc
