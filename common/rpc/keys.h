#pragma once

#include <openssl/types.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mtp::rpc {

// The signature algorithms of tokens. A key has exactly one, given by the key
// and not by the token: so nobody can make a public key pass for a secret.
enum class TokenAlgorithm { kEs256, kRs256 };
std::string_view TokenAlgorithmName(TokenAlgorithm algorithm);

struct TokenKey {
  TokenAlgorithm algorithm;
  std::shared_ptr<EVP_PKEY> key;
};

// Public keys by key id.
using TokenKeys = std::map<std::string, TokenKey, std::less<>>;

// Reads a JSON Web Key Set (RFC 7517). Keys that are not for signatures or of
// other algorithms are passed over; a malformed key, a private one, a secret
// one, a key id used twice, RSA below 2,048 bits, and a set without a usable
// key are errors.
absl::StatusOr<TokenKeys> ParseJwks(std::string_view json);

// The key set that holds the public half of a PEM private or public key.
absl::StatusOr<std::string> JwksFromPem(std::string_view pem,
                                        std::string_view kid);
// A new P-256 private key as PEM.
std::string MakeEs256Key();

// Where the public keys of one issuer come from. Thread-safe.
class TokenKeySource {
 public:
  // A set of keys and which reading of it this is.
  struct Reading {
    uint64_t number;
    TokenKeys keys;
  };

  TokenKeySource();
  virtual ~TokenKeySource() = default;
  TokenKeySource(const TokenKeySource&) = delete;
  TokenKeySource& operator=(const TokenKeySource&) = delete;

  // Never null; without keys until there are some.
  std::shared_ptr<const Reading> Current() const;
  // The number of the current reading, cheaper than Current.
  uint64_t Number() const { return number_.load(std::memory_order_acquire); }
  // A token names a key that is not in the set. Does not block.
  virtual void Missed() const {}

 protected:
  // The next reading; none if these are the keys of the present one.
  void Publish(TokenKeys keys);

 private:
  std::atomic<uint64_t> number_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const Reading> current_;
};

// Keys that somebody puts up: those that this process signs with, or those
// that it was told.
class TokenKeyBoard final : public TokenKeySource {
 public:
  void Put(TokenKeys keys) { Publish(std::move(keys)); }
  // Called, on any thread, when a key is missed. Set before anybody checks.
  void OnMissed(std::function<void()> missed) { missed_ = std::move(missed); }
  void Missed() const override {
    if (missed_) missed_();
  }

 private:
  std::function<void()> missed_;
};

// The keys in a file, read again within a second after the file changed (by
// modification time, size or inode). A file that has become unreadable leaves
// the keys as they were. Thread-safe.
class TokenKeyFile final : public TokenKeySource {
 public:
  // Told what happened at each reading: OK, or why the file was not taken.
  using Listener = std::function<void(const absl::Status&)>;

  static absl::StatusOr<std::unique_ptr<TokenKeyFile>> Open(
      std::string path, Listener listener = {});
  ~TokenKeyFile() override;

 private:
  struct Stamp {
    int64_t modified_nanos = 0;
    int64_t size = -1;
    uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };

  TokenKeyFile(std::string path, Listener listener);
  absl::StatusOr<Stamp> LookAtFile() const;
  absl::Status Read();
  void Watch();

  const std::string path_;
  const Listener listener_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  Stamp stamp_;  // the watching thread's, after Open
  std::thread watcher_;
};

}  // namespace mtp::rpc
