#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/rpc/peer_channel.h"
#include "common/rpc/server.h"
#include "mtp/order/v1/sessions.pb.h"

// What the tests of servers and of channels to them have in common.
namespace mtp::rpc {

inline constexpr char kSignIn[] = "mtp.order.v1.SessionService/SignIn";
inline constexpr char kKeySet[] =
    "mtp.order.v1.SessionService/GetJsonWebKeySet";
inline constexpr char kSubject[] = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

inline absl::Time Soon() { return absl::Now() + absl::Seconds(10); }

// A server with all services of the contract and the handlers of the test.
struct Bench {
  std::unique_ptr<telemetry::Log> log =
      telemetry::Log::Open({.file = "/dev/null"}).value();
  telemetry::Metrics metrics;
  std::string pem = MakeEs256Key();
  std::string key_path = std::filesystem::temp_directory_path() /
                         ("mtp-jwks-" + Uuid::V7(absl::Now()).ToString());
  std::unique_ptr<TokenKeyFile> keys;
  std::unique_ptr<TokenVerifier> verifier;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<Server> server;

  // Those of `peer_packages` are the peer's.
  explicit Bench(std::vector<std::string> packages = {"mtp.order.v1",
                                                      "mtp.processing.v1",
                                                      "mtp.sync.v1"},
                 std::vector<std::string> peer_packages = {}) {
    std::ofstream(key_path) << JwksFromPem(pem, "k1").value();
    keys = TokenKeyFile::Open(key_path).value();
    verifier = std::make_unique<TokenVerifier>(TokenSettings{}, keys.get());
    authenticator = std::make_unique<Authenticator>(
        Authenticator::Settings{.peer_names = {"seeduwa.local"}, .revoked = {}},
        verifier.get());
    pipeline = Pipeline::Create({.domain = "mtp.test",
                                 .packages = std::move(packages),
                                 .peer_packages = std::move(peer_packages)},
                                {.log = log.get(),
                                 .metrics = &metrics,
                                 .authenticator = authenticator.get()})
                   .value();
    if (!pipeline->peer_services().empty()) return;
    // Says back what it was given, so that a reply shows the request.
    pipeline->Route(kSignIn, [](std::unique_ptr<Call> call) {
      const auto& request =
          static_cast<const order::v1::SignInRequest&>(*call->message);
      order::v1::SignInResponse reply;
      reply.mutable_session()->set_access_token(request.username());
      call->Reply(reply.SerializeAsString());
    });
  }
  ~Bench() { std::filesystem::remove(key_path); }

  ServerSettings Insecure() const {
    return {.listen = "127.0.0.1:0",
            .probe_listen = "127.0.0.1:0",
            .insecure = true};
  }
  void Start(ServerSettings settings) {
    auto started = Server::Start(
        std::move(settings), {.pipeline = pipeline.get(), .log = log.get()});
    INFO(started.status().ToString());
    REQUIRE(started.ok());
    server = *std::move(started);
    server->SetServing(true);
  }
  std::string Address() const {
    return "127.0.0.1:" + std::to_string(server->port());
  }
  std::unique_ptr<PeerChannel> Connect(ChannelSettings settings = {
                                           .insecure = true,
                                           .own_connection = true}) const {
    settings.target = Address();
    return PeerChannel::Open(std::move(settings)).value();
  }
  Metadata As(options::v1::Role role) const {
    return {{"authorization", "Bearer " + SignToken({.subject = kSubject,
                                                     .username = "nimal",
                                                     .role = role,
                                                     .issued_at = absl::Now()},
                                                    pem, "k1")
                                              .value()}};
  }
};

// A handler that answers nothing until the test says so.
class Held {
 public:
  // For calls of `method`, before the server starts.
  Held(const Bench& bench, const char* method) {
    bench.pipeline->Route(method, [this](std::unique_ptr<Call> call) {
      std::lock_guard lock(mutex_);
      calls_.push_back(std::move(call));
    });
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return calls_.size();
  }
  // Those that came until now, for the test to answer.
  std::vector<std::unique_ptr<Call>> Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Call>> calls_;
};

inline order::v1::SignInRequest Credentials(const std::string& name) {
  order::v1::SignInRequest request;
  request.set_username(name);
  request.set_password("secret");
  return request;
}

}  // namespace mtp::rpc
