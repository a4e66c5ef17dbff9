#include "order_service/signing_keys.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace mtp::order {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr KeySchedule kSchedule{.signs = absl::Hours(10),
                                .lead = absl::Hours(3),
                                .token_lifetime = absl::Minutes(10)};

SigningKey Key(absl::Time signs_from, const std::string& id) {
  return {.key_id = id,
          .private_pem = "",
          .public_jwk = "",
          .signs_from = signs_from,
          .signs_until = signs_from + kSchedule.signs,
          .valid_until = kSchedule.ValidUntil(signs_from + kSchedule.signs)};
}

TEST_CASE("the first key signs at once") {
  CHECK(NextKeySignsFrom({}, kSchedule, kNow) == kNow);
}

// Goes through some days, a step of the clock at a time.
TEST_CASE("at any time one key signs that has long been published") {
  std::vector<SigningKey> keys;
  std::map<std::string, absl::Time> published;
  const absl::Time first = kNow;
  int made = 0;
  for (absl::Time now = first; now < first + absl::Hours(24 * 7);
       now += absl::Minutes(7)) {
    while (const auto from = NextKeySignsFrom(keys, kSchedule, now)) {
      const std::string id = absl::StrCat(++made);
      keys.push_back(Key(*from, id));
      published[id] = now;
    }
    std::erase_if(
        keys, [&](const SigningKey& key) { return key.valid_until <= now; });
    CHECK(keys.size() <= 3);
    const SigningKey* signer = SignerAt(keys, kSchedule, now);
    REQUIRE(signer != nullptr);
    // A token that is signed now is never left without its key.
    CHECK(now + kSchedule.token_lifetime <= signer->valid_until);
    if (signer->key_id != "1") {
      CHECK(now - published[signer->key_id] >=
            kSchedule.lead - absl::Minutes(7));
    }
  }
  CHECK(made == 18);
}

TEST_CASE("tokens that are to live longer always have a key") {
  KeySchedule longer = kSchedule;
  longer.token_lifetime = absl::Hours(6);
  std::vector<SigningKey> keys = {Key(kNow, "old")};
  for (absl::Time now = kNow; now < kNow + absl::Hours(24 * 3);
       now += absl::Minutes(7)) {
    while (const auto from = NextKeySignsFrom(keys, longer, now)) {
      SigningKey key = Key(*from, absl::StrCat(keys.size()));
      key.valid_until = longer.ValidUntil(key.signs_until);
      keys.push_back(key);
    }
    const SigningKey* signer = SignerAt(keys, longer, now);
    REQUIRE(signer != nullptr);
    CHECK(now + longer.token_lifetime <= signer->valid_until);
  }
}

TEST_CASE("after an outage of all replicas the next key signs at once") {
  const std::vector<SigningKey> keys = {Key(kNow - absl::Hours(24), "old")};
  CHECK(SignerAt(keys, kSchedule, kNow) == nullptr);
  CHECK(NextKeySignsFrom(keys, kSchedule, kNow) == kNow);
}

TEST_CASE("a key is read with the secret that sealed it, and no other") {
  const std::string pem = rpc::MakeEs256Key();
  const std::string secret(32, 's');
  const std::string sealed = SealKey(pem, secret);
  CHECK(sealed.find("PRIVATE") == std::string::npos);
  CHECK(sealed != SealKey(pem, secret));
  CHECK(UnsealKey(sealed, secret).value() == pem);
  CHECK_FALSE(UnsealKey(sealed, std::string(32, 't')).ok());
  CHECK_FALSE(UnsealKey(sealed, "").ok());
  CHECK_FALSE(UnsealKey(sealed.substr(0, 30), secret).ok());
  std::string bent = sealed;
  bent.back() = static_cast<char>(bent.back() ^ 1);
  CHECK_FALSE(UnsealKey(bent, secret).ok());
  // Without a secret it lies there as it is, and is read with one, too.
  CHECK(SealKey(pem, "") == pem);
  CHECK(UnsealKey(pem, "").value() == pem);
  CHECK(UnsealKey(pem, secret).value() == pem);
}

TEST_CASE("a secret is 64 hexadecimal digits in a file") {
  const std::string path = "signing_keys_test_secret";
  std::ofstream(path) << std::string(64, 'a') << "\n";
  CHECK(ReadKeySecret(path).value() == std::string(32, '\xaa'));
  std::ofstream(path) << std::string(63, 'a') << "\n";
  CHECK_FALSE(ReadKeySecret(path).ok());
  std::ofstream(path) << std::string(64, 'g') << "\n";
  CHECK_FALSE(ReadKeySecret(path).ok());
  std::remove(path.c_str());
  CHECK_FALSE(ReadKeySecret(path).ok());
}

}  // namespace
}  // namespace mtp::order
