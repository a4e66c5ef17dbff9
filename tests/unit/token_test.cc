#include "common/rpc/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <functional>

#include "common/base/errors.h"
#include "common/rpc/base64url.h"
#include "common/rpc/identity.h"
#include "common/rpc/keys.h"
#include "nlohmann/json.hpp"
#include "tests/support/wait.h"

namespace mtp::rpc {
namespace {

using nlohmann::json;

constexpr char kSubject[] = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// A file that is gone at the end.
class TemporaryFile {
 public:
  TemporaryFile() {
    char name[] = "/tmp/mtp-keys-XXXXXX";
    const int fd = ::mkstemp(name);
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }
  void Write(const std::string& text) const {
    const std::string next = path_ + ".next";
    std::ofstream(next) << text;
    REQUIRE(std::rename(next.c_str(), path_.c_str()) == 0);
  }

 private:
  std::string path_;
};

struct Bench {
  std::string pem = MakeEs256Key();
  TemporaryFile file;
  std::unique_ptr<TokenKeyFile> keys;
  absl::Time now = kNow;
  std::unique_ptr<TokenVerifier> verifier;

  explicit Bench(TokenSettings settings = {}) {
    file.Write(JwksFromPem(pem, "k1").value());
    keys = TokenKeyFile::Open(file.path()).value();
    verifier = std::make_unique<TokenVerifier>(settings, keys.get(),
                                               [this] { return now; });
  }

  TokenRequest Request() const {
    return {.subject = kSubject,
            .username = "nimal",
            .role = options::v1::ROLE_SEEDUWA_OPERATOR,
            .issued_at = kNow};
  }
  std::string Token() const { return SignToken(Request(), pem, "k1").value(); }
  std::string ReasonFor(const std::string& token) const {
    const auto claims = verifier->Verify(token);
    if (claims.ok()) return "OK";
    REQUIRE(claims.status().code() == absl::StatusCode::kUnauthenticated);
    return errors::Reason(claims.status());
  }
};

// The three parts of a token, decoded.
struct Parts {
  json header;
  json claims;
  std::string signature;
};

Parts Take(const std::string& token) {
  const size_t first = token.find('.');
  const size_t second = token.find('.', first + 1);
  return {json::parse(*Base64UrlDecode(token.substr(0, first))),
          json::parse(
              *Base64UrlDecode(token.substr(first + 1, second - first - 1))),
          token.substr(second + 1)};
}

std::string SignedPart(const json& header, const json& claims) {
  return Base64UrlEncode(header.dump()) + "." + Base64UrlEncode(claims.dump());
}

std::string HmacSigned(const json& header, const json& claims,
                       const std::string& secret) {
  const std::string part = SignedPart(header, claims);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(part.data()), part.size(), mac,
       &size);
  return part + "." +
         Base64UrlEncode(std::string(reinterpret_cast<char*>(mac), size));
}

// Signs any claims with any key, ES256 or RS256 as the key is.
std::string Signed(const json& header, const json& claims, EVP_PKEY* key) {
  const std::string part = SignedPart(header, claims);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(part.data());
  REQUIRE(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) ==
          1);
  REQUIRE(EVP_DigestSign(context, nullptr, &size, data, part.size()) == 1);
  std::string signature(size, '\0');
  REQUIRE(EVP_DigestSign(context,
                         reinterpret_cast<unsigned char*>(signature.data()),
                         &size, data, part.size()) == 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return part + "." + Base64UrlEncode(signature);
}

std::string RsaPublicPem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

TEST_CASE("a good token says who, in which role, and is remembered") {
  Bench bench;
  const std::string token = bench.Token();
  for (int i = 0; i < 2; ++i) {
    const auto claims = bench.verifier->Verify(token);
    REQUIRE(claims.ok());
    REQUIRE(claims->subject == kSubject);
    REQUIRE(claims->username == "nimal");
    REQUIRE(claims->role == options::v1::ROLE_SEEDUWA_OPERATOR);
    REQUIRE(claims->issued_at == kNow);
    REQUIRE(bench.verifier->Remembered() == 1);
  }
}

TEST_CASE("an RS256 token is taken with an RSA key of the set") {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  TemporaryFile file;
  file.Write(JwksFromPem(RsaPublicPem(key), "r1").value());
  const auto keys = TokenKeyFile::Open(file.path()).value();
  TokenVerifier verifier({}, keys.get(), [] { return kNow; });
  const json claims = {{"iss", "mtp-local"},
                       {"aud", {"other", "mtp"}},
                       {"sub", kSubject},
                       {"role", "TRADER_OFFICER"},
                       {"exp", absl::ToUnixSeconds(kNow) + 60}};
  const std::string token =
      Signed({{"alg", "RS256"}, {"kid", "r1"}}, claims, key);
  REQUIRE(verifier.Verify(token).ok());

  SECTION("but not with the public key as an HMAC secret") {
    const std::string forged = HmacSigned({{"alg", "HS256"}, {"kid", "r1"}},
                                          claims, RsaPublicPem(key));
    REQUIRE(errors::Reason(verifier.Verify(forged).status()) ==
            "TOKEN_ALGORITHM");
  }
  SECTION("nor with HMAC under the name of RS256") {
    const std::string forged = HmacSigned({{"alg", "RS256"}, {"kid", "r1"}},
                                          claims, RsaPublicPem(key));
    REQUIRE(errors::Reason(verifier.Verify(forged).status()) ==
            "TOKEN_SIGNATURE");
  }
  EVP_PKEY_free(key);
}

TEST_CASE("tokens that lie about their signature are refused") {
  Bench bench;
  const Parts good = Take(bench.Token());
  const std::string claims_part = Base64UrlEncode(good.claims.dump());
  const auto with_header = [&](json header) {
    return SignedPart(header, good.claims) + "." + good.signature;
  };

  for (const char* none : {"none", "None", "NONE", ""}) {
    REQUIRE(bench.ReasonFor(
                SignedPart({{"alg", none}, {"kid", "k1"}}, good.claims) +
                ".") == "TOKEN_ALGORITHM");
  }
  REQUIRE(bench.ReasonFor(with_header({{"alg", "ES384"}, {"kid", "k1"}})) ==
          "TOKEN_ALGORITHM");
  REQUIRE(bench.ReasonFor(with_header({{"alg", "RS256"}, {"kid", "k1"}})) ==
          "TOKEN_ALGORITHM");
  REQUIRE(bench.ReasonFor(with_header({{"alg", "ES256"}})) ==
          "TOKEN_KEY_UNKNOWN");
  REQUIRE(bench.ReasonFor(with_header({{"alg", "ES256"}, {"kid", ""}})) ==
          "TOKEN_KEY_UNKNOWN");
  REQUIRE(bench.ReasonFor(
              with_header({{"alg", "ES256"}, {"kid", "../../etc/passwd"}})) ==
          "TOKEN_KEY_UNKNOWN");
  REQUIRE(bench.ReasonFor(with_header({{"alg", "ES256"}, {"kid", {"k1"}}})) ==
          "TOKEN_KEY_UNKNOWN");
  REQUIRE(bench.ReasonFor(with_header({{"alg", "ES256"},
                                       {"kid", "k1"},
                                       {"crit", {"exp"}},
                                       {"jwk", {{"kty", "EC"}}}})) ==
          "TOKEN_MALFORMED");

  // A key of the attacker's own, named in the header too.
  const std::string foreign = MakeEs256Key();
  REQUIRE(bench.ReasonFor(SignToken(bench.Request(), foreign, "k1").value()) ==
          "TOKEN_SIGNATURE");
  json header = good.header;
  header["jwk"] = json::parse(JwksFromPem(foreign, "k1").value())["keys"][0];
  REQUIRE(bench.ReasonFor(with_header(header)) == "TOKEN_SIGNATURE");

  // Other claims under a good signature, and signatures of a wrong form.
  json claims = good.claims;
  claims["role"] = "MASTER_ADMIN";
  REQUIRE(bench.ReasonFor(SignedPart(good.header, claims) + "." +
                          good.signature) == "TOKEN_SIGNATURE");
  const std::string part = SignedPart(good.header, good.claims);
  for (const std::string& signature :
       {std::string(), std::string(64, '\0'), std::string(63, 'x'),
        std::string(65, 'x'), std::string(200, 'x')}) {
    REQUIRE(bench.ReasonFor(part + "." + Base64UrlEncode(signature)) ==
            "TOKEN_SIGNATURE");
  }
  REQUIRE(bench.verifier->Remembered() == 0);
}

TEST_CASE("what is no token at all is refused as malformed") {
  Bench bench;
  const std::string token = bench.Token();
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."),
        std::string("a.b"), std::string("a.b.c.d"), "=" + token, token + ".",
        token + "=", std::string(9000, 'a'), std::string("bm90IGpzb24.e30."),
        std::string("W10.e30.AA"), std::string("\xff\xfe.\x80.\x01")}) {
    REQUIRE(bench.ReasonFor(text) == "TOKEN_MALFORMED");
  }
}

TEST_CASE("a token holds for its time, its issuer and its audience only") {
  Bench bench;
  TokenRequest request = bench.Request();
  const auto reason = [&] {
    return bench.ReasonFor(SignToken(request, bench.pem, "k1").value());
  };
  SECTION("expired") {
    request.lifetime = absl::Minutes(5);
    REQUIRE(reason() == "OK");
    bench.now = kNow + absl::Minutes(5) + absl::Seconds(29);
    REQUIRE(reason() == "OK");
    bench.now = kNow + absl::Minutes(5) + absl::Seconds(30);
    REQUIRE(reason() == "TOKEN_EXPIRED");
  }
  SECTION("another issuer") {
    request.issuer = "mtp-local.evil";
    REQUIRE(reason() == "TOKEN_ISSUER");
  }
  SECTION("another audience") {
    request.audience = "mtp2";
    REQUIRE(reason() == "TOKEN_AUDIENCE");
  }
  SECTION("a subject that is no UUID") {
    request.subject = "nimal";
    REQUIRE(reason() == "TOKEN_SUBJECT");
  }
  SECTION("no role") {
    request.role = options::v1::ROLE_UNSPECIFIED;
    REQUIRE(reason() == "TOKEN_ROLE");
  }
}

TEST_CASE("odd claims are refused, not guessed at") {
  Bench bench({.role_claim = "cognito:groups"});
  BIO* bio = BIO_new_mem_buf(bench.pem.data(), -1);
  EVP_PKEY* key = EVP_RSA_gen(2048);
  bench.file.Write(JwksFromPem(RsaPublicPem(key), "r1").value());
  const auto keys = TokenKeyFile::Open(bench.file.path()).value();
  TokenVerifier verifier({.role_claim = "cognito:groups"}, keys.get(),
                         [] { return kNow; });
  const int64_t now = absl::ToUnixSeconds(kNow);
  const auto reason = [&](const std::function<void(json&)>& change) {
    json claims = {{"iss", "mtp-local"},
                   {"aud", "mtp"},
                   {"sub", kSubject},
                   {"cognito:groups", {"plant-users", "SEEDUWA_OFFICER"}},
                   {"exp", now + 60}};
    change(claims);
    const auto result =
        verifier.Verify(Signed({{"alg", "RS256"}, {"kid", "r1"}}, claims, key));
    return result.ok() ? "OK" : errors::Reason(result.status());
  };
  REQUIRE(reason([](json&) {}) == "OK");
  REQUIRE(reason([](json& c) { c.erase("exp"); }) == "TOKEN_EXPIRED");
  REQUIRE(reason([](json& c) { c["exp"] = "9999999999"; }) == "TOKEN_EXPIRED");
  REQUIRE(reason([](json& c) { c["exp"] = -1; }) == "TOKEN_EXPIRED");
  REQUIRE(reason([](json& c) { c["exp"] = 1e300; }) == "TOKEN_EXPIRED");
  REQUIRE(reason([&](json& c) { c["nbf"] = now + 31; }) ==
          "TOKEN_NOT_YET_VALID");
  REQUIRE(reason([&](json& c) { c["nbf"] = now + 30; }) == "OK");
  REQUIRE(reason([](json& c) { c["nbf"] = "soon"; }) == "TOKEN_NOT_YET_VALID");
  REQUIRE(reason([](json& c) { c["aud"] = {{"mtp", 1}}; }) == "TOKEN_AUDIENCE");
  REQUIRE(reason([](json& c) {
            c["cognito:groups"] = {"SEEDUWA_OFFICER", "MASTER_ADMIN"};
          }) == "TOKEN_ROLE");
  REQUIRE(reason([](json& c) { c["cognito:groups"] = {"UNSPECIFIED"}; }) ==
          "TOKEN_ROLE");
  REQUIRE(reason([](json& c) { c["cognito:groups"] = json::array(); }) ==
          "TOKEN_ROLE");
  REQUIRE(reason([](json& c) {
            c["sub"] = "00000000-0000-0000-0000-000000000000";
          }) == "TOKEN_SUBJECT");
  REQUIRE(reason([](json& c) { c["username"] = std::string("a\0b", 3); }) ==
          "TOKEN_MALFORMED");
  EVP_PKEY_free(key);
  BIO_free(bio);
}

TEST_CASE("a key set is refused whole when a key in it is unsound") {
  const json good = json::parse(JwksFromPem(MakeEs256Key(), "k1").value());
  const auto refuses = [](const json& set) {
    return !ParseJwks(set.dump()).ok();
  };
  REQUIRE_FALSE(refuses(good));
  json changed = good;
  changed["keys"][0]["x"] = Base64UrlEncode(std::string(32, '\1'));
  REQUIRE(refuses(changed));  // not a point of the curve
  changed = good;
  changed["keys"][0]["d"] = "AAAA";
  REQUIRE(refuses(changed));  // private
  changed = good;
  changed["keys"].push_back(good["keys"][0]);
  REQUIRE(refuses(changed));  // the same kid twice
  changed = good;
  changed["keys"].push_back({{"kty", "oct"}, {"kid", "s"}, {"k", "AAAA"}});
  REQUIRE(refuses(changed));  // a secret
  changed = good;
  changed["keys"][0]["use"] = "enc";
  REQUIRE(refuses(changed));  // nothing left to check signatures with
  EVP_PKEY* weak = EVP_RSA_gen(1024);
  REQUIRE(refuses(json::parse(JwksFromPem(RsaPublicPem(weak), "w").value())));
  EVP_PKEY_free(weak);
  REQUIRE_FALSE(ParseJwks("").ok());
  REQUIRE_FALSE(ParseJwks("[]").ok());
  REQUIRE_FALSE(ParseJwks("{\"keys\":[]}").ok());
}

TEST_CASE("a changed key file is taken over, and a broken one is not") {
  Bench bench;
  const std::string old_token = bench.Token();
  REQUIRE(bench.ReasonFor(old_token) == "OK");

  const std::string next_pem = MakeEs256Key();
  const std::string next_token =
      SignToken(bench.Request(), next_pem, "k2").value();
  bench.file.Write(JwksFromPem(next_pem, "k2").value());
  REQUIRE(
      tests::Eventually([&] { return bench.ReasonFor(next_token) == "OK"; }));
  REQUIRE(bench.ReasonFor(old_token) == "TOKEN_KEY_UNKNOWN");

  std::atomic<int> refused{0};
  const auto watched =
      TokenKeyFile::Open(bench.file.path(), [&](const absl::Status& status) {
        if (!status.ok()) ++refused;
      }).value();
  bench.file.Write("{ not a key set");
  REQUIRE(tests::Eventually([&] { return refused > 0; }));
  REQUIRE(watched->Number() == 1);
  REQUIRE(bench.ReasonFor(next_token) == "OK");
}

TEST_CASE("the memory of good tokens is bounded") {
  Bench bench({.remembered = 100});
  TokenRequest request = bench.Request();
  for (int i = 0; i < 150; ++i) {
    request.username = "user" + std::to_string(i);
    REQUIRE(bench.verifier->Verify(SignToken(request, bench.pem, "k1").value())
                .ok());
  }
  REQUIRE(bench.verifier->Remembered() == 100);
}

TEST_CASE("a key vouches for the tokens of its own issuer alone") {
  const std::string own_pem = MakeEs256Key();
  const std::string foreign_pem = MakeEs256Key();
  TokenKeyBoard own, foreign;
  const auto keys = [](const std::string& pem, const char* kid) {
    return ParseJwks(JwksFromPem(pem, kid).value()).value();
  };
  own.Put(keys(own_pem, "k1"));
  foreign.Put(keys(foreign_pem, "k2"));
  TokenVerifier verifier(
      {{{.issuer = "own"}, &own}, {{.issuer = "foreign"}, &foreign}},
      [] { return kNow; });
  const auto reason = [&](const char* issuer, const std::string& pem,
                          const char* kid) {
    TokenRequest request = Bench().Request();
    request.issuer = issuer;
    const auto claims = verifier.Verify(SignToken(request, pem, kid).value());
    return claims.ok() ? "OK" : errors::Reason(claims.status());
  };
  CHECK(reason("own", own_pem, "k1") == "OK");
  CHECK(reason("foreign", foreign_pem, "k2") == "OK");
  CHECK(reason("foreign", own_pem, "k1") == "TOKEN_ISSUER");
  CHECK(reason("own", foreign_pem, "k2") == "TOKEN_ISSUER");
  CHECK(reason("own", foreign_pem, "k1") == "TOKEN_SIGNATURE");
  CHECK(reason("nobody", own_pem, "k1") == "TOKEN_ISSUER");

  // Both call a key by one name: each is asked for its own.
  foreign.Put(keys(foreign_pem, "k1"));
  CHECK(reason("own", own_pem, "k1") == "OK");
  CHECK(reason("foreign", foreign_pem, "k1") == "OK");
  CHECK(reason("own", foreign_pem, "k1") == "TOKEN_SIGNATURE");

  // A key that is withdrawn takes its tokens with it, remembered or not.
  own.Put({});
  CHECK(reason("own", own_pem, "k1") == "TOKEN_SIGNATURE");
  CHECK(reason("foreign", foreign_pem, "k1") == "OK");
}

TEST_CASE("an issuer is told when a token names a key that it lacks") {
  TokenKeyBoard board;
  int missed = 0;
  board.OnMissed([&] { ++missed; });
  Bench bench;
  TokenVerifier verifier(TokenSettings{}, &board, [] { return kNow; });
  CHECK_FALSE(verifier.Verify(bench.Token()).ok());
  CHECK(missed == 1);
  TokenRequest request = bench.Request();
  request.issuer = "somebody";
  CHECK_FALSE(
      verifier.Verify(SignToken(request, bench.pem, "k1").value()).ok());
  CHECK(missed == 1);
}

TEST_CASE("a session, and the time to the microsecond, travel in a token") {
  Bench bench;
  TokenRequest request = bench.Request();
  request.issued_at = kNow + absl::Microseconds(123'457);
  request.session_id = "a-session";
  const auto plain =
      bench.verifier->Verify(SignToken(request, bench.pem, "k1").value());
  REQUIRE(plain.ok());
  CHECK(plain->issued_at == request.issued_at);
  CHECK(plain->session_id == "a-session");
  CHECK_FALSE(plain->must_change_password);
  request.must_change_password = true;
  CHECK(bench.verifier->Verify(SignToken(request, bench.pem, "k1").value())
            ->must_change_password);
}

TEST_CASE("a token counts before a certificate, and a revoked one not at all") {
  Bench bench;
  bool revoked = false;
  const Authenticator authenticator(
      {.peer_names = {"order.mtp.local"},
       .revoked = [&](std::string_view, absl::Time) { return revoked; }},
      bench.verifier.get());
  const auto peer = [] { return std::vector<std::string>{"order.mtp.local"}; };
  const auto stranger = [] { return std::vector<std::string>{"evil.local"}; };

  REQUIRE(authenticator.Authenticate("", peer)->kind == Caller::Kind::kService);
  REQUIRE(authenticator.Authenticate("", stranger)->kind ==
          Caller::Kind::kNobody);
  const std::string header = "Bearer " + bench.Token();
  REQUIRE(authenticator.Authenticate(header, peer)->kind ==
          Caller::Kind::kPerson);
  revoked = true;
  REQUIRE(errors::Reason(authenticator.Authenticate(header, peer).status()) ==
          "TOKEN_REVOKED");
  for (const char* wrong : {"Basic abc", "Bearer", "bearer ", "x"}) {
    REQUIRE(errors::Reason(authenticator.Authenticate(wrong, peer).status()) ==
            "TOKEN_MALFORMED");
  }
}

}  // namespace
}  // namespace mtp::rpc
