#include <openssl/hmac.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/rpc/base64url.h"
#include "common/rpc/keys.h"
#include "common/rpc/token.h"
#include "google/rpc/error_details.pb.h"
#include "tests/support/people.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace order::v1;
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_MASTER_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

constexpr char kSignOut[] = "mtp.order.v1.SessionService/SignOut";
constexpr absl::Duration kSeconds = absl::Seconds(5);

std::string ReasonOf(const absl::Status& status) {
  return errors::Reason(status);
}

// Where a name is locked soon and not for long.
Stack& GuessedStack() {
  return Stack::Shared(
      "guessed", {.order_flags = {"--lock-after", "3", "--lock-seconds", "2",
                                  "--lock-limit-seconds", "2"}});
}

absl::StatusOr<SignOutResponse> SignOut(const Stack& stack,
                                        const SessionTokens& session,
                                        bool everywhere,
                                        const std::string& request_id = "") {
  SignOutRequest request;
  request.set_request_id(request_id);
  request.set_everywhere(everywhere);
  return As(stack, session, SIDE_ORDER)
      .Call<SignOutResponse>(kSignOut, request);
}

SessionTokens MustSignIn(const Stack& stack, const Person& person) {
  const auto session = SignIn(stack, person);
  INFO(session.status().ToString());
  REQUIRE(session.ok());
  return *session;
}

bool WelcomeAtSeeduwa(const Stack& stack, const SessionTokens& session) {
  return Eventually(
      [&] { return Welcome(stack, session, SIDE_PROCESSING).ok(); }, kSeconds);
}

nlohmann::json PartOf(const std::string& token, size_t part) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  return nlohmann::json::parse(rpc::Base64UrlDecode(parts.at(part)).value());
}

std::string KeyOf(const SessionTokens& session) {
  return PartOf(session.access_token(), 0)["kid"];
}

absl::Duration RetryDelay(const absl::Status& status) {
  google::rpc::RetryInfo retry;
  const auto bytes =
      status.GetPayload("type.googleapis.com/google.rpc.RetryInfo");
  REQUIRE(bytes.has_value());
  REQUIRE(retry.ParseFromString(std::string(*bytes)));
  return absl::Seconds(retry.retry_delay().seconds());
}

TEST_CASE("why a sign-in is refused is not told") {
  Stack& stack = Stack::Shared();
  const Person person = NewPerson(stack, ROLE_GRANDPASS_OFFICER);
  const Person disabled = NewPerson(stack, ROLE_GRANDPASS_OFFICER);
  REQUIRE(Disable(stack, disabled.subject).ok());
  const absl::Status wrong =
      SignIn(stack, person.username, "another password").status();
  const absl::Status out = SignIn(stack, disabled).status();
  const absl::Status unknown =
      SignIn(stack, NewUsername("nobody"), person.password).status();
  for (const absl::Status& status : {wrong, out, unknown}) {
    CHECK(status.code() == absl::StatusCode::kUnauthenticated);
    CHECK(ReasonOf(status) == "SIGN_IN_REFUSED");
    CHECK(status.message() == wrong.message());
  }
  CHECK(SignIn(stack, person).ok());
}

TEST_CASE("guessing locks a name, whether anybody has it or not") {
  Stack& stack = GuessedStack();
  const Person person = NewPerson(stack, ROLE_GRANDPASS_OFFICER);
  const std::string nobody = NewUsername("nobody");
  for (const std::string& name : {person.username, nobody}) {
    for (int i = 0; i < 3; ++i) {
      INFO(i);
      CHECK(ReasonOf(SignIn(stack, name, "another password").status()) ==
            "SIGN_IN_REFUSED");
    }
  }
  stack.Restart(SIDE_ORDER);
  for (const std::string& name : {person.username, nobody}) {
    // The right password, too.
    const absl::Status locked = SignIn(stack, name, person.password).status();
    CHECK(locked.code() == absl::StatusCode::kResourceExhausted);
    CHECK(ReasonOf(locked) == "TOO_MANY_ATTEMPTS");
    CHECK(RetryDelay(locked) >= absl::Seconds(1));
    CHECK(RetryDelay(locked) <= absl::Seconds(2));
  }
  CHECK(Eventually([&] { return SignIn(stack, person).ok(); }));
  // Forgiven, all three tries are there again.
  CHECK(ReasonOf(SignIn(stack, person.username, "another password").status()) ==
        "SIGN_IN_REFUSED");
  CHECK(SignIn(stack, person).ok());
}

TEST_CASE("an administrator lifts a lock") {
  Stack& stack = GuessedStack();
  const Person person = NewPerson(stack, ROLE_GRANDPASS_OFFICER);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(SignIn(stack, person.username, "another password").ok());
  }
  GetUserRequest get;
  get.set_subject(person.subject);
  CHECK(Administer<GetUserResponse>(stack, "GetUser", get)
            ->user()
            .has_locked_until());
  REQUIRE(Enable(stack, person.subject).ok());
  CHECK(SignIn(stack, person).ok());
}

TEST_CASE("a refresh token works once; used again it ends its session") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_GRANDPASS_OFFICER);
  const SessionTokens first = MustSignIn(stack, person);
  const SessionTokens beside = MustSignIn(stack, person);
  const auto second = Refresh(stack, first.refresh_token());
  REQUIRE(second.ok());
  CHECK(second->refresh_token() != first.refresh_token());
  CHECK(Welcome(stack, *second, SIDE_ORDER).ok());
  const auto third = Refresh(stack, second->refresh_token());
  REQUIRE(third.ok());

  const absl::Status reused = Refresh(stack, first.refresh_token()).status();
  CHECK(reused.code() == absl::StatusCode::kUnauthenticated);
  CHECK(ReasonOf(reused) == "SESSION_ENDED");
  CHECK(ReasonOf(Refresh(stack, third->refresh_token()).status()) ==
        "SESSION_ENDED");
  CHECK(stack.Database(SIDE_ORDER)
            .Number("SELECT count(*) FROM audit.entry WHERE action = "
                    "'refresh_token_reused' AND entity_key = $1",
                    {person.subject}) == 1);
  // Another session of the person goes on.
  CHECK(Refresh(stack, beside.refresh_token()).ok());
  CHECK(ReasonOf(Refresh(stack, "made-up").status()) == "SESSION_ENDED");
}

TEST_CASE("of those who use one refresh token at once, one gets tokens") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_GRANDPASS_OFFICER);
  const SessionTokens session = MustSignIn(stack, person);
  std::vector<absl::StatusOr<SessionTokens>> outcomes(6);
  AtOnce(6, [&](int i) {
    outcomes[static_cast<size_t>(i)] = Refresh(stack, session.refresh_token());
  });
  int got = 0;
  for (const auto& outcome : outcomes) {
    if (outcome.ok()) {
      ++got;
    } else {
      CHECK(ReasonOf(outcome.status()) == "SESSION_ENDED");
    }
  }
  CHECK(got == 1);
}

TEST_CASE("who signs out of one session keeps the others") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_GRANDPASS_OFFICER);
  const SessionTokens session = MustSignIn(stack, person);
  const SessionTokens beside = MustSignIn(stack, person);
  const std::string id = NewRequestId();
  const auto out = SignOut(stack, session, false, id);
  REQUIRE(out.ok());
  CHECK(out->ended_session_count() == 1);
  CHECK(out->sync_token() == "");
  // Again the first reply, not what would be true now.
  const auto again = SignOut(stack, session, false, id);
  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == out->SerializeAsString());
  CHECK(ReasonOf(SignOut(stack, session, true, id).status()) ==
        "REQUEST_ID_REUSED");
  CHECK(SignOut(stack, session, false)->ended_session_count() == 0);
  CHECK(ReasonOf(Refresh(stack, session.refresh_token()).status()) ==
        "SESSION_ENDED");
  CHECK(Refresh(stack, beside.refresh_token()).ok());
}

TEST_CASE("who signs out everywhere is out on both sides") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const SessionTokens session = MustSignIn(stack, person);
  const SessionTokens beside = MustSignIn(stack, person);
  REQUIRE(WelcomeAtSeeduwa(stack, beside));
  const auto out = SignOut(stack, session, true);
  REQUIRE(out.ok());
  // SettledPerson left one, too.
  CHECK(out->ended_session_count() == 3);
  CHECK(out->sync_token() != "");
  for (const SessionTokens& tokens : {session, beside}) {
    CHECK(ReasonOf(Welcome(stack, tokens, SIDE_ORDER)) == "TOKEN_REVOKED");
    CHECK(ReasonOf(Refresh(stack, tokens.refresh_token()).status()) ==
          "SESSION_ENDED");
    CHECK(Eventually(
        [&] {
          return ReasonOf(Welcome(stack, tokens, SIDE_PROCESSING)) ==
                 "TOKEN_REVOKED";
        },
        kSeconds));
  }
  // And in again at once.
  const SessionTokens fresh = MustSignIn(stack, person);
  CHECK(Welcome(stack, fresh, SIDE_ORDER).ok());
  CHECK(WelcomeAtSeeduwa(stack, fresh));
}

TEST_CASE("a changed password ends the other sessions, and is changed once") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_GRANDPASS_OFFICER);
  const SessionTokens session = MustSignIn(stack, person);
  const SessionTokens beside = MustSignIn(stack, person);
  const std::string fresh = "seven loud kettles downhill";
  const std::string id = NewRequestId();
  const auto changed =
      ChangePassword(stack, session, person.password, fresh, id);
  REQUIRE(changed.ok());
  CHECK(changed->ended_session_count() == 2);
  CHECK(ReasonOf(Welcome(stack, session, SIDE_ORDER)) == "TOKEN_REVOKED");
  CHECK(ReasonOf(Refresh(stack, beside.refresh_token()).status()) ==
        "SESSION_ENDED");
  CHECK_FALSE(SignIn(stack, person).ok());
  CHECK(SignIn(stack, person.username, fresh).ok());

  // Repeated with this session's next token: the first reply, although the
  // password it names is not the present one any more.
  const auto next = Refresh(stack, session.refresh_token());
  REQUIRE(next.ok());
  const auto again = ChangePassword(stack, *next, person.password, fresh, id);
  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == changed->SerializeAsString());
  CHECK(ReasonOf(ChangePassword(stack, *next, person.password,
                                "another one altogether", id)
                     .status()) == "REQUEST_ID_REUSED");
  CHECK(ReasonOf(ChangePassword(stack, *next, fresh, fresh).status()) ==
        "PASSWORD_UNCHANGED");
  CHECK(ReasonOf(ChangePassword(stack, *next, person.password,
                                "another one altogether")
                     .status()) == "WRONG_PASSWORD");
  CHECK(SignIn(stack, person.username, fresh).ok());
}

TEST_CASE("guessing the present password with a stolen token is counted") {
  Stack& stack = GuessedStack();
  const Person person = SettledPerson(stack, ROLE_GRANDPASS_OFFICER);
  const SessionTokens session = MustSignIn(stack, person);
  const auto guess = [&](const std::string& password) {
    return ReasonOf(
        ChangePassword(stack, session, password, "seven loud kettles downhill")
            .status());
  };
  for (int i = 0; i < 3; ++i) CHECK(guess("a guess") == "WRONG_PASSWORD");
  CHECK(guess(person.password) == "TOO_MANY_ATTEMPTS");
  // Nor does asking for the same password again tell who has it right.
  CHECK(
      ReasonOf(ChangePassword(stack, session, person.password, person.password)
                   .status()) == "TOO_MANY_ATTEMPTS");
  CHECK(ReasonOf(SignIn(stack, person).status()) == "TOO_MANY_ATTEMPTS");
}

TEST_CASE("whom another issuer signs in has no session and no password here") {
  Stack& stack = Stack::Shared();
  const Client client = stack.As(ROLE_GRANDPASS_OFFICER, SIDE_ORDER);
  CHECK(ReasonOf(client.Send(kSignOut, SignOutRequest()).status) ==
        "EXTERNAL_IDENTITY");
  ChangePasswordRequest request;
  request.set_current_password("x");
  request.set_new_password("seven loud kettles downhill");
  CHECK(ReasonOf(
            client.Send("mtp.order.v1.SessionService/ChangePassword", request)
                .status) == "EXTERNAL_IDENTITY");
}

TEST_CASE("with a provider of the company's, nobody signs in here") {
  Stack stack({.flags = {"--identity", "external"}});
  CHECK(ReasonOf(SignIn(stack, "nimal", "four wet umbrellas").status()) ==
        "EXTERNAL_IDENTITY");
  CHECK(ReasonOf(Refresh(stack, "made-up").status()) == "EXTERNAL_IDENTITY");
  CHECK(ReasonOf(Disable(stack, NewRequestId())) == "EXTERNAL_IDENTITY");
  CHECK(ReasonOf(Enable(stack, NewRequestId())) == "EXTERNAL_IDENTITY");
  CHECK(Administer<ListUsersResponse>(stack, "ListUsers", ListUsersRequest())
            .ok());
  const auto keys = stack.Stranger(SIDE_ORDER)
                        .Call<GetJsonWebKeySetResponse>(
                            "mtp.order.v1.SessionService/GetJsonWebKeySet",
                            GetJsonWebKeySetRequest());
  REQUIRE(keys.ok());
  CHECK(keys->keys_size() == 0);
}

// --- the company's provider

TEST_CASE("keys of a provider are fetched from its URL, and fetched again") {
  const std::string certificates =
      Identities::Shared().folder() + "/certificates/";
  const std::string folder = Identities::Shared().folder() + "/provider";
  std::filesystem::create_directories(folder);
  const std::string file = folder + "/jwks.json";
  const auto publish = [&](const std::string& json) {
    std::ofstream(file + ".new") << json;
    std::filesystem::rename(file + ".new", file);
  };
  const std::string port = absl::StrCat(FreePort());
  const auto serve = [&] {
    return Process({"/usr/bin/python3", "-c",
                    "import http.server, ssl, sys, os\n"
                    "os.chdir(sys.argv[2])\n"
                    "server = http.server.ThreadingHTTPServer(('127.0.0.1', "
                    "int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)\n"
                    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                    "context.load_cert_chain(sys.argv[3], sys.argv[4])\n"
                    "server.socket = context.wrap_socket(server.socket, "
                    "server_side=True)\n"
                    "server.serve_forever()\n",
                    port, folder, certificates + "order_service.pem",
                    certificates + "order_service.key"},
                   folder + "/log");
  };
  const std::string known =
      ReadFile(Identities::Shared().folder() + "/tokens/jwks.json");
  publish(rpc::JwksFromPem(rpc::MakeEs256Key(), "another").value());
  Process provider = serve();
  Stack stack(
      {.flags = {"--identity", "external", "--token-keys-ca",
                 certificates + "ca.pem", "--token-keys-refresh-seconds", "1"},
       .token_keys = absl::StrCat("https://127.0.0.1:", port, "/jwks.json")});
  const auto welcome = [&](Side side) {
    return stack.As(ROLE_SEEDUWA_OPERATOR, side)
        .Send(side == SIDE_ORDER
                  ? "mtp.order.v1.PlanService/ListPlans"
                  : "mtp.processing.v1.LocationService/ListLocations",
              {""})
        .status;
  };
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(ReasonOf(welcome(side)) == "TOKEN_KEY_UNKNOWN");
  }
  publish(known);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(Eventually([&] { return welcome(side).ok(); }));
  }
  // The provider down: what is known holds.
  provider = Process();
  const size_t logged = stack.Log(SIDE_ORDER).size();
  CHECK(Eventually([&] { return stack.Log(SIDE_ORDER).size() > logged; }));
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(welcome(side).ok());
  }
}

// --- keys

TEST_CASE("keys rotate without signing anybody out") {
  Stack stack({.order_flags = {"--signing-key-seconds", "4",
                               "--signing-key-lead-seconds", "3"},
               .processing_flags = {"--grandpass-keys-seconds", "1"}});
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const SessionTokens first = MustSignIn(stack, person);
  REQUIRE(WelcomeAtSeeduwa(stack, first));
  SessionTokens latest = first;
  std::set<std::string> signers = {KeyOf(first)};
  REQUIRE(Eventually([&] {
    const auto next = Refresh(stack, latest.refresh_token());
    if (!next.ok()) return false;
    latest = *next;
    signers.insert(KeyOf(latest));
    // Every token is good on both sides from the first moment.
    CHECK(Welcome(stack, latest, SIDE_ORDER).ok());
    CHECK(Welcome(stack, latest, SIDE_PROCESSING).ok());
    return signers.size() >= 3;
  }));
  CHECK(Welcome(stack, first, SIDE_ORDER).ok());
  CHECK(Welcome(stack, first, SIDE_PROCESSING).ok());
}

TEST_CASE("with Grandpass down, Seeduwa checks tokens on, through a start") {
  Stack stack;
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const Person out = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const SessionTokens session = MustSignIn(stack, person);
  const SessionTokens revoked = MustSignIn(stack, out);
  REQUIRE(WelcomeAtSeeduwa(stack, session));
  REQUIRE(Disable(stack, out.subject).ok());
  REQUIRE(Eventually([&] {
    return ReasonOf(Welcome(stack, revoked, SIDE_PROCESSING)) ==
           "TOKEN_REVOKED";
  }));
  stack.Kill(SIDE_ORDER);
  CHECK(Welcome(stack, session, SIDE_PROCESSING).ok());
  stack.Restart(SIDE_PROCESSING);
  CHECK(Welcome(stack, session, SIDE_PROCESSING).ok());
  // Nor is it forgotten who is out.
  CHECK(ReasonOf(Welcome(stack, revoked, SIDE_PROCESSING)) == "TOKEN_REVOKED");
  stack.Start(SIDE_ORDER);
  CHECK(Welcome(stack, session, SIDE_ORDER).ok());
  CHECK(ReasonOf(Welcome(stack, revoked, SIDE_ORDER)) == "TOKEN_REVOKED");
  CHECK(Refresh(stack, session.refresh_token()).ok());
}

TEST_CASE("who is disabled while Seeduwa is down is out when it is back") {
  Stack stack;
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const SessionTokens session = MustSignIn(stack, person);
  REQUIRE(WelcomeAtSeeduwa(stack, session));
  stack.Kill(SIDE_PROCESSING);
  REQUIRE(Disable(stack, person.subject).ok());
  stack.Start(SIDE_PROCESSING);
  CHECK(Eventually(
      [&] {
        return ReasonOf(Welcome(stack, session, SIDE_PROCESSING)) ==
               "TOKEN_REVOKED";
      },
      absl::Seconds(10)));
}

// --- hostile tokens

struct Forger {
  // A key that is really Grandpass's, out of its database.
  std::string key;
  std::string key_id;
  rpc::TokenRequest good;

  explicit Forger(const Stack& stack, const Person& person) {
    const auto rows =
        stack.Owner(SIDE_ORDER)
            .Query(
                "SELECT key_id, convert_from(private_key, 'UTF8') "
                "FROM admin.signing_key ORDER BY signs_from LIMIT 1");
    key_id = rows.at(0).at(0);
    key = rows.at(0).at(1);
    good = {.issuer = "mtp-order",
            .subject = person.subject,
            .username = person.username,
            .role = ROLE_SEEDUWA_OPERATOR,
            .issued_at = absl::Now()};
  }
  std::string Sign(const rpc::TokenRequest& request) const {
    return rpc::SignToken(request, key, key_id).value();
  }
  // Any claims and any header under a true signature.
  std::string SignJson(const nlohmann::json& header,
                       const nlohmann::json& claims) const;
};

std::string Unsigned(const nlohmann::json& header,
                     const nlohmann::json& claims) {
  return rpc::Base64UrlEncode(header.dump()) + "." +
         rpc::Base64UrlEncode(claims.dump());
}

std::string Hs256(const std::string& text, const std::string& secret) {
  unsigned char mac[32];
  unsigned size = sizeof mac;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac,
       &size);
  return text + "." +
         rpc::Base64UrlEncode({reinterpret_cast<const char*>(mac), size});
}

TEST_CASE("no token opens a door that Grandpass did not make for it") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const Forger forger(stack, person);
  // Signed with the true key and with nothing wrong, it would be taken: what
  // follows is refused for its own fault.
  REQUIRE(Eventually([&] {
    const std::string token = forger.Sign(forger.good);
    return Welcome(stack, token, SIDE_ORDER).ok() &&
           Welcome(stack, token, SIDE_PROCESSING).ok();
  }));

  const Identities& identities = Identities::Shared();
  const std::string good = forger.Sign(forger.good);
  const nlohmann::json header = PartOf(good, 0);
  const nlohmann::json claims = PartOf(good, 1);
  const std::string signature = good.substr(good.rfind('.'));
  const auto with = [](nlohmann::json json, const char* name,
                       const nlohmann::json& value) {
    json[name] = value;
    return json;
  };
  const auto published = stack.Stranger(SIDE_ORDER)
                             .Call<GetJsonWebKeySetResponse>(
                                 "mtp.order.v1.SessionService/GetJsonWebKeySet",
                                 GetJsonWebKeySetRequest());
  REQUIRE(published.ok());
  const JsonWebKey& jwk = published->keys(0);

  rpc::TokenRequest expired = forger.good;
  expired.issued_at = absl::Now() - absl::Hours(2);
  rpc::TokenRequest elsewhere = forger.good;
  elsewhere.audience = "another-system";
  rpc::TokenRequest foreign = forger.good;
  foreign.issuer = "somebody";
  // The key of one issuer under the name of the other.
  rpc::TokenRequest borrowed = forger.good;
  borrowed.issuer = "mtp-local";

  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"none", Unsigned({{"alg", "none"}}, claims) + "."},
      {"none with a kid", Unsigned(with(header, "alg", "none"), claims) + "."},
      {"NoNe", Unsigned(with(header, "alg", "NoNe"), claims) + signature},
      {"another algorithm",
       Unsigned(with(header, "alg", "RS256"), claims) + signature},
      {"no algorithm", Unsigned({{"kid", header["kid"]}}, claims) + signature},
      {"HS256 by the public key",
       Hs256(Unsigned(with(header, "alg", "HS256"), claims),
             rpc::Base64UrlDecode(jwk.x()).value())},
      {"HS256 by the public key's text",
       Hs256(Unsigned(with(header, "alg", "HS256"), claims), jwk.x())},
      {"HS256 by nothing",
       Hs256(Unsigned(with(header, "alg", "HS256"), claims), "")},
      {"a foreign key under our name",
       rpc::SignToken(forger.good, rpc::MakeEs256Key(), forger.key_id).value()},
      {"a key of its own", Unsigned(with(header, "jwk",
                                         {{"kty", "EC"},
                                          {"crv", "P-256"},
                                          {"x", jwk.x()},
                                          {"y", jwk.y()}}),
                                    with(claims, "role", "MASTER_ADMIN")) +
                               signature},
      {"the other issuer's key",
       rpc::SignToken(forger.good, identities.signing_key(),
                      identities.key_id())
           .value()},
      {"our key, the other issuer's name", forger.Sign(borrowed)},
      {"a kid that is a path",
       rpc::SignToken(forger.good, forger.key, "../../../dev/null").value()},
      {"a kid that is SQL",
       rpc::SignToken(forger.good, forger.key, "x' OR '1'='1").value()},
      {"an empty kid", rpc::SignToken(forger.good, forger.key, "").value()},
      {"a kid that is a number",
       Unsigned(with(header, "kid", 1), claims) + signature},
      {"a critical extension",
       Unsigned(with(header, "crit", {"exp"}), claims) + signature},
      {"other claims under the signature",
       Unsigned(header, with(claims, "role", "MASTER_ADMIN")) + signature},
      {"another audience", forger.Sign(elsewhere)},
      {"another issuer", forger.Sign(foreign)},
      {"expired", forger.Sign(expired)},
      {"not yet valid",
       forger.SignJson(header, with(claims, "nbf",
                                    absl::ToUnixSeconds(absl::Now()) + 3600))},
      {"without an end", forger.SignJson(header, with(claims, "exp", nullptr))},
      {"an end beyond all time",
       forger.SignJson(header, with(claims, "exp", 1e300))},
      {"a role that nobody has",
       forger.SignJson(header, with(claims, "role", "GOD"))},
      {"two roles",
       forger.SignJson(
           header, with(claims, "role", {"MASTER_ADMIN", "SEEDUWA_OPERATOR"}))},
      {"no subject", forger.SignJson(header, with(claims, "sub", "root"))},
      {"cut off", good.substr(0, good.size() - 4)},
      {"one part more", good + ".AAAA"},
      {"only dots", ".."},
      {"nothing", ""},
  };
  for (const auto& [name, token] : hostile) {
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
      INFO(name);
      const absl::Status status = Welcome(stack, token, side);
      CHECK(status.code() == absl::StatusCode::kUnauthenticated);
      CHECK(ReasonOf(status) != "");
    }
  }
  // A megabyte is too much for the transport already; nobody comes in, and the
  // service lives.
  for (const size_t size : {size_t{9'000}, size_t{1'000'000}}) {
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
      CHECK_FALSE(Welcome(stack, good + std::string(size, 'A'), side).ok());
      // Seeduwa may have to ask for the key first.
      CHECK(Eventually(
          [&] { return Welcome(stack, forger.Sign(forger.good), side).ok(); }));
    }
  }
}

TEST_CASE("a refresh token is no access token, nor the other way round") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const SessionTokens session = MustSignIn(stack, person);
  CHECK(Welcome(stack, session.refresh_token(), SIDE_ORDER).code() ==
        absl::StatusCode::kUnauthenticated);
  CHECK_FALSE(Refresh(stack, session.access_token()).ok());
  CHECK(Refresh(stack, session.refresh_token()).ok());
}

std::string Forger::SignJson(const nlohmann::json& header,
                             const nlohmann::json& claims) const {
  // SignToken makes its own claims: sign what is wanted by its parts.
  return rpc::SignJws(header.dump(), claims.dump(), key).value();
}

}  // namespace
}  // namespace mtp::tests
