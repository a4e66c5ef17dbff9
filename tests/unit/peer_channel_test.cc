#include "common/rpc/peer_channel.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "common/base/errors.h"
#include "common/rpc/gateway.h"
#include "mtp/processing/v1/trace.pb.h"
#include "tests/support/cluster.h"
#include "tests/support/line.h"
#include "tests/support/wait.h"
#include "tests/unit/rpc_bench.h"

namespace mtp::rpc {
namespace {

TEST_CASE("a channel to nobody fails fast once its breaker is open") {
  auto channel = PeerChannel::Open({.target = "127.0.0.1:1", .insecure = true},
                                   {.failures_to_open = 2}, SystemClock(),
                                   [] { return 1.0; })
                     .value();
  for (int i = 0; i < 2; ++i) {
    const PeerReply reply = channel->CallAndWait(kSignIn, "", Soon());
    REQUIRE(reply.status.code() == absl::StatusCode::kUnavailable);
    REQUIRE(errors::Reason(reply.status).empty());
  }
  const PeerReply refused = channel->CallAndWait(kSignIn, "", Soon());
  REQUIRE(errors::Reason(refused.status) == "PEER_UNREACHABLE");
  REQUIRE(channel->breaker().Look().state == Breaker::State::kOpen);
}

TEST_CASE("a peer that is back is found by who only asks whether it is") {
  Bench bench;
  bench.Start(bench.Insecure());
  const std::string address = "127.0.0.1:" + std::to_string(tests::FreePort());
  tests::Line line({.listen = address, .targets = {bench.Address()}});
  const auto channel = PeerChannel::Open({.target = address, .insecure = true},
                                         {.failures_to_open = 1}, SystemClock(),
                                         [] { return 0.1; })
                           .value();
  line.Partition();
  REQUIRE_FALSE(channel->CallAndWait(kSignIn, "", Soon()).status.ok());
  REQUIRE(channel->breaker().Look().state == Breaker::State::kOpen);
  CHECK_FALSE(channel->Reachable());
  line.Calm();
  CHECK(tests::Eventually([&] { return channel->Reachable(); }));
}

TEST_CASE("a channel that is closed calls every callback first") {
  Bench bench;
  Held held(bench, kKeySet);
  bench.Start(bench.Insecure());
  std::atomic<int> called{0};
  {
    const auto channel = bench.Connect();
    for (int i = 0; i < 20; ++i) {
      channel->Call(kKeySet, "", Soon(), {},
                    [&](absl::Status, std::string) { ++called; });
    }
    REQUIRE(tests::Eventually([&] { return held.size() == 20; }));
  }
  REQUIRE(called == 20);
}

TEST_CASE("a call that was given no time does not open the breaker") {
  Bench bench;
  Held held(bench, kKeySet);
  bench.Start(bench.Insecure());
  const auto channel = bench.Connect();
  // Connected.
  REQUIRE(channel->CallAndWait(kSignIn, "", Soon()).status.code() ==
          absl::StatusCode::kInvalidArgument);
  for (int i = 0; i < 10; ++i) {
    const PeerReply reply =
        channel->CallAndWait(kKeySet, "", absl::Now() + absl::Milliseconds(20));
    REQUIRE(reply.status.code() == absl::StatusCode::kDeadlineExceeded);
  }
  CHECK(channel->breaker().Look().state == Breaker::State::kClosed);
  CHECK(channel->breaker().Look().consecutive_failures == 0);
}

TEST_CASE("a client's own deadline does not open the breaker") {
  Bench bench;
  Held held(bench, kKeySet);
  bench.Start(bench.Insecure());
  const auto channel = bench.Connect();
  REQUIRE(channel->CallAndWait(kSignIn, "", Soon()).status.code() ==
          absl::StatusCode::kInvalidArgument);
  // Longer than what tells of the peer, were it a call of our own.
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&] {
      channel->CallAndWait(kKeySet, "", absl::Now() + absl::Seconds(3),
                           {{kForwardedKey, "1"}});
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(channel->breaker().Look().state == Breaker::State::kClosed);
  CHECK(channel->breaker().Look().consecutive_failures == 0);
}

// A server that passes on to `peer` what is of these packages.
struct Front {
  std::unique_ptr<Gateway> gateway;
  std::unique_ptr<PeerChannel> to_peer;
  Bench bench;

  Front(const Bench& peer, const std::string& own_package,
        const std::string& peer_package,
        size_t max_in_flight = Gateway::kMaxInFlight)
      : to_peer(peer.Connect()), bench({own_package}, {peer_package}) {
    gateway = std::make_unique<Gateway>(to_peer.get(), max_in_flight);
    bench.pipeline->RoutePeer(
        [this](std::unique_ptr<Call> call) { gateway->Pass(std::move(call)); });
    bench.Start(bench.Insecure());
  }
};

constexpr char kOrder[] = "mtp.order.v1";
constexpr char kProcessing[] = "mtp.processing.v1";
constexpr char kTrace[] = "mtp.processing.v1.TraceService/Trace";

processing::v1::TraceRequest AnyTrace() {
  processing::v1::TraceRequest request;
  request.mutable_start()->set_barcode(kSubject);
  request.set_direction(processing::v1::TRACE_DIRECTION_FORWARD);
  return request;
}

TEST_CASE(
    "a gateway takes so many calls and no more, and passes them on once") {
  Bench peer;
  Held held(peer, kKeySet);
  peer.Start(peer.Insecure());
  const Front front(peer, kProcessing, kOrder, /*max_in_flight=*/3);
  const auto client = front.bench.Connect();

  order::v1::SignInRequest credentials = Credentials("nimal");
  const PeerReply passed_on =
      client->CallAndWait(kSignIn, credentials.SerializeAsString(), Soon(),
                          {{"x-correlation-id", "the-same"}});
  REQUIRE(passed_on.status.ok());
  order::v1::SignInResponse response;
  REQUIRE(response.ParseFromString(passed_on.bytes));
  CHECK(response.session().access_token() == "nimal");
  CHECK(
      errors::Reason(client
                         ->CallAndWait(kSignIn, credentials.SerializeAsString(),
                                       Soon(), {{"mtp-forwarded", "1"}})
                         .status) == "FORWARDED_TWICE");

  std::atomic<int> answered{0};
  for (int i = 0; i < 3; ++i) {
    client->Call(kKeySet, "", Soon(), {},
                 [&](absl::Status, std::string) { ++answered; });
  }
  REQUIRE(tests::Eventually([&] { return held.size() == 3; }));
  const PeerReply refused = client->CallAndWait(kKeySet, "", Soon());
  CHECK(refused.status.code() == absl::StatusCode::kResourceExhausted);
  for (const std::unique_ptr<Call>& call : held.Take()) {
    CHECK(call->forwarded);
    // The wire rounds it.
    CHECK(call->deadline < Soon() + absl::Seconds(1));
    call->Reply("");
  }
  REQUIRE(tests::Eventually([&] { return answered == 3; }));
  // And there is room again.
  CHECK(client->CallAndWait(kSignIn, credentials.SerializeAsString(), Soon())
            .status.ok());
}

TEST_CASE("who goes away takes along what was passed on for them") {
  Bench peer;
  Held held(peer, kKeySet);
  Held held_streams(peer, kTrace);
  peer.Start(peer.Insecure());
  const auto ended = [](Held& calls) {
    const std::vector<std::unique_ptr<Call>> taken = calls.Take();
    REQUIRE(taken.size() == 1);
    return tests::Eventually([&] { return taken[0]->Cancelled(); },
                             absl::Seconds(3));
  };
  SECTION("a single call") {
    const Front front(peer, kProcessing, kOrder);
    auto client = front.bench.Connect();
    client->Call(kKeySet, "", Soon(), {}, [](absl::Status, std::string) {});
    REQUIRE(tests::Eventually([&] { return held.size() == 1; }));
    client.reset();
    CHECK(ended(held));
    CHECK(tests::Eventually(
        [&] { return front.bench.pipeline->InFlight() == 0; }));
    CHECK(front.to_peer->Reachable());
  }
  SECTION("a stream") {
    const Front front(peer, kOrder, kProcessing);
    auto client = front.bench.Connect();
    client->Stream(kTrace, {AnyTrace().SerializeAsString()}, Soon(),
                   peer.As(options::v1::ROLE_SEEDUWA_OFFICER),
                   [](PeerStreamReply) {});
    REQUIRE(tests::Eventually([&] { return held_streams.size() == 1; }));
    client.reset();
    CHECK(ended(held_streams));
    CHECK(tests::Eventually(
        [&] { return front.bench.pipeline->InFlight() == 0; }));
  }
}

TEST_CASE("a drain waits for what hangs at the peer no longer than it is to") {
  Bench peer;
  Held held(peer, kKeySet);
  peer.Start(peer.Insecure());
  Front front(peer, kProcessing, kOrder);
  const auto client = front.bench.Connect();
  std::atomic<int> answered{0};
  client->Call(kKeySet, "", absl::Now() + absl::Minutes(1), {},
               [&](absl::Status, std::string) { ++answered; });
  REQUIRE(tests::Eventually([&] { return held.size() == 1; }));
  const absl::Time start = absl::Now();
  front.bench.server->Drain(absl::ZeroDuration(), absl::Milliseconds(300));
  CHECK(absl::Now() - start < absl::Seconds(5));
  CHECK(front.bench.pipeline->InFlight() == 0);
  CHECK(tests::Eventually([&] { return answered == 1; }));
}

TEST_CASE("no call is passed on for longer than a gateway's own limit") {
  Bench peer;
  Held held(peer, kKeySet);
  peer.Start(peer.Insecure());
  const Front front(peer, kProcessing, kOrder);
  const auto client = front.bench.Connect();
  client->Call(kKeySet, "", absl::Now() + absl::Hours(5), {},
               [](absl::Status, std::string) {});
  REQUIRE(tests::Eventually([&] { return held.size() == 1; }));
  const auto taken = held.Take();
  // The wire rounds it.
  CHECK(taken[0]->deadline <
        absl::Now() + Gateway::kMaxTime + absl::Seconds(1));
  taken[0]->Reply("");
}

}  // namespace
}  // namespace mtp::rpc
