#include "common/rpc/keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/base64url.h"
#include "nlohmann/json.hpp"

namespace mtp::rpc {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kLookInterval{1};
constexpr size_t kFileLimit = 1 << 20;
constexpr int kRsaBitsLeast = 2048;
constexpr int kRsaBitsMost = 8192;
constexpr size_t kP256Bytes = 32;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using BnPtr = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using CtxPtr = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;
using KeyPtr = std::shared_ptr<EVP_PKEY>;

KeyPtr Own(EVP_PKEY* key) { return KeyPtr(key, EVP_PKEY_free); }

std::string Text(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// The public key that the parameters describe; null when they describe none.
KeyPtr FromParameters(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const CtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr ||
      EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    return nullptr;
  }
  KeyPtr owned = Own(key);
  const CtxPtr check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (check == nullptr || EVP_PKEY_public_check(check.get()) != 1) {
    return nullptr;
  }
  return owned;
}

KeyPtr EcKey(std::string_view x, std::string_view y) {
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return nullptr;
  const std::string point =
      absl::StrCat("\x04", absl::string_view(x.data(), x.size()),
                   absl::string_view(y.data(), y.size()));
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                  "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                   point.data(), point.size());
  return FromParameters("EC", builder.get());
}

KeyPtr RsaKey(std::string_view modulus, std::string_view exponent) {
  const auto number = [](std::string_view bytes) {
    return BnPtr(BN_bin2bn(reinterpret_cast<const uint8_t*>(bytes.data()),
                           static_cast<int>(bytes.size()), nullptr));
  };
  const BnPtr n = number(modulus);
  const BnPtr e = number(exponent);
  if (BN_num_bits(n.get()) < kRsaBitsLeast ||
      BN_num_bits(n.get()) > kRsaBitsMost || BN_num_bits(e.get()) > 64 ||
      !BN_is_odd(e.get()) || BN_is_one(e.get())) {
    return nullptr;
  }
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return FromParameters("RSA", builder.get());
}

absl::Status BadKey(std::string_view kid, const char* what) {
  return absl::InvalidArgumentError("the token key '" + std::string(kid) +
                                    "' " + what);
}

// Adds the key that `jwk` describes, if it is one to check tokens with.
absl::Status AddKey(const json& jwk, TokenKeys& keys) {
  if (!jwk.is_object()) {
    return absl::InvalidArgumentError("a token key is not a JSON object");
  }
  const std::string kid = Text(jwk, "kid");
  const std::string type = Text(jwk, "kty");
  const std::string use = Text(jwk, "use");
  const std::string algorithm = Text(jwk, "alg");
  if (type == "oct")
    return BadKey(kid, "is a secret; only public keys belong here");
  if (jwk.contains("d"))
    return BadKey(kid, "is private; only public keys belong here");
  if (!use.empty() && use != "sig") return absl::OkStatus();
  const bool ec = type == "EC" && Text(jwk, "crv") == "P-256";
  const bool rsa = type == "RSA";
  const std::string_view expected = ec ? "ES256" : "RS256";
  if ((!ec && !rsa) || (!algorithm.empty() && algorithm != expected)) {
    return absl::OkStatus();
  }
  if (kid.empty()) return absl::InvalidArgumentError("a token key has no kid");

  const auto first = Base64UrlDecode(Text(jwk, ec ? "x" : "n"));
  const auto second = Base64UrlDecode(Text(jwk, ec ? "y" : "e"));
  if (!first.has_value() || !second.has_value()) {
    return BadKey(kid, "is not base64url");
  }
  KeyPtr key = ec ? EcKey(*first, *second) : RsaKey(*first, *second);
  if (key == nullptr) return BadKey(kid, "is not a sound public key");
  const bool added = keys.emplace(kid, TokenKey{ec ? TokenAlgorithm::kEs256
                                                   : TokenAlgorithm::kRs256,
                                                std::move(key)})
                         .second;
  return added ? absl::OkStatus() : BadKey(kid, "is there twice");
}

std::string Bytes(const BIGNUM* number, size_t size) {
  std::string bytes(size, '\0');
  BN_bn2binpad(number, reinterpret_cast<uint8_t*>(bytes.data()),
               static_cast<int>(size));
  return bytes;
}

BnPtr NumberOf(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  return BnPtr(number);
}

KeyPtr ReadPem(std::string_view pem) {
  for (const bool is_private : {true, false}) {
    const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    EVP_PKEY* key =
        is_private
            ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)
            : PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr);
    if (key != nullptr) return Own(key);
  }
  return nullptr;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::NotFoundError(
        absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  std::string text((std::istreambuf_iterator<char>(in)),
                   std::istreambuf_iterator<char>());
  if (text.size() > kFileLimit) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is over 1 MiB"));
  }
  return text;
}

}  // namespace

std::string_view TokenAlgorithmName(TokenAlgorithm algorithm) {
  return algorithm == TokenAlgorithm::kEs256 ? "ES256" : "RS256";
}

absl::StatusOr<TokenKeys> ParseJwks(std::string_view text) {
  const json set = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
    return absl::InvalidArgumentError("this is not a JSON Web Key Set");
  }
  TokenKeys keys;
  for (const json& jwk : set["keys"]) RETURN_IF_ERROR(AddKey(jwk, keys));
  if (keys.empty()) {
    return absl::InvalidArgumentError(
        "the key set has no key for ES256 or RS256");
  }
  return keys;
}

absl::StatusOr<std::string> JwksFromPem(std::string_view pem,
                                        std::string_view kid) {
  const KeyPtr key = ReadPem(pem);
  if (key == nullptr)
    return absl::InvalidArgumentError("this is not a PEM key");
  json jwk = {{"kid", std::string(kid)}, {"use", "sig"}};
  if (EVP_PKEY_is_a(key.get(), "EC")) {
    const BnPtr x = NumberOf(key.get(), OSSL_PKEY_PARAM_EC_PUB_X);
    const BnPtr y = NumberOf(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
    if (x == nullptr || y == nullptr || EVP_PKEY_get_bits(key.get()) != 256) {
      return absl::InvalidArgumentError("the EC key is not of the curve P-256");
    }
    jwk.update({{"kty", "EC"},
                {"crv", "P-256"},
                {"alg", "ES256"},
                {"x", Base64UrlEncode(Bytes(x.get(), kP256Bytes))},
                {"y", Base64UrlEncode(Bytes(y.get(), kP256Bytes))}});
  } else if (EVP_PKEY_is_a(key.get(), "RSA")) {
    const BnPtr n = NumberOf(key.get(), OSSL_PKEY_PARAM_RSA_N);
    const BnPtr e = NumberOf(key.get(), OSSL_PKEY_PARAM_RSA_E);
    if (n == nullptr || e == nullptr) {
      return absl::InvalidArgumentError("the RSA key has no public half");
    }
    jwk.update(
        {{"kty", "RSA"},
         {"alg", "RS256"},
         {"n", Base64UrlEncode(
                   Bytes(n.get(), static_cast<size_t>(BN_num_bytes(n.get()))))},
         {"e", Base64UrlEncode(Bytes(
                   e.get(), static_cast<size_t>(BN_num_bytes(e.get()))))}});
  } else {
    return absl::InvalidArgumentError("the key is neither EC nor RSA");
  }
  return json{{"keys", json::array({jwk})}}.dump(2);
}

std::string MakeEs256Key() {
  const KeyPtr key = Own(EVP_EC_gen("P-256"));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                           nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

TokenKeySource::TokenKeySource()
    : current_(
          std::make_shared<const Reading>(Reading{.number = 0, .keys = {}})) {}

std::shared_ptr<const TokenKeySource::Reading> TokenKeySource::Current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void TokenKeySource::Publish(TokenKeys keys) {
  const auto same = [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.algorithm == b.second.algorithm &&
           EVP_PKEY_eq(a.second.key.get(), b.second.key.get()) == 1;
  };
  std::lock_guard lock(mutex_);
  if (current_->number > 0 &&
      std::equal(keys.begin(), keys.end(), current_->keys.begin(),
                 current_->keys.end(), same)) {
    return;
  }
  const uint64_t number = current_->number + 1;
  current_ = std::make_shared<const Reading>(
      Reading{.number = number, .keys = std::move(keys)});
  number_.store(number, std::memory_order_release);
}

absl::StatusOr<std::unique_ptr<TokenKeyFile>> TokenKeyFile::Open(
    std::string path, Listener listener) {
  std::unique_ptr<TokenKeyFile> file(
      new TokenKeyFile(std::move(path), std::move(listener)));
  ASSIGN_OR_RETURN(file->stamp_, file->LookAtFile());
  RETURN_IF_ERROR(file->Read());
  file->watcher_ = std::thread([f = file.get()] { f->Watch(); });
  return file;
}

TokenKeyFile::TokenKeyFile(std::string path, Listener listener)
    : path_(std::move(path)), listener_(std::move(listener)) {}

TokenKeyFile::~TokenKeyFile() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

absl::StatusOr<TokenKeyFile::Stamp> TokenKeyFile::LookAtFile() const {
  struct stat s;
  if (::stat(path_.c_str(), &s) != 0) {
    return absl::NotFoundError(absl::StrCat("cannot read the token keys ",
                                            path_, ": ", std::strerror(errno)));
  }
  return Stamp{
      .modified_nanos = s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec,
      .size = s.st_size,
      .inode = s.st_ino};
}

absl::Status TokenKeyFile::Read() {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path_));
  absl::StatusOr<TokenKeys> keys = ParseJwks(text);
  if (!keys.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": ", keys.status().message()));
  }
  Publish(*std::move(keys));
  return absl::OkStatus();
}

void TokenKeyFile::Watch() {
  bool missing = false;
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kLookInterval,
                                 [this] { return stopping_; })) {
    lock.unlock();
    const absl::StatusOr<Stamp> stamp = LookAtFile();
    if (!stamp.ok()) {
      if (!std::exchange(missing, true) && listener_) listener_(stamp.status());
    } else if (missing || *stamp != stamp_) {
      missing = false;
      stamp_ = *stamp;
      const absl::Status read = Read();
      if (listener_) listener_(read);
    }
    lock.lock();
  }
}

}  // namespace mtp::rpc
