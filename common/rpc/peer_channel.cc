#include "common/rpc/peer_channel.h"

#include <future>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/rpc/bytes.h"
#include "common/rpc/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace mtp::rpc {
namespace {

// A peer that comes back is found within seconds.
constexpr int kFirstReconnectMillis = 100;
constexpr int kLastReconnectMillis = 1'000;
constexpr int kConnectMillis = 5'000;
constexpr int kKeepaliveMillis = 30'000;
constexpr int kKeepaliveTimeoutMillis = 10'000;

grpc::ChannelArguments ArgumentsFor(const ChannelSettings& settings) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                   kFirstReconnectMillis);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLastReconnectMillis);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMillis);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMillis);
  // One layer retries, and that is the caller.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(settings.max_message_bytes);
  arguments.SetMaxSendMessageSize(settings.max_message_bytes);
  if (settings.own_connection) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  }
  if (!settings.server_name.empty() && !settings.insecure) {
    arguments.SetSslTargetNameOverride(settings.server_name);
  }
  return arguments;
}

Metadata TextTrailers(const grpc::ClientContext& context) {
  Metadata trailers;
  for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
    const std::string name(key.data(), key.size());
    if (IsMetadataKey(name)) {
      trailers.emplace_back(name, std::string(value.data(), value.size()));
    }
  }
  return trailers;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(
    const ChannelSettings& settings) {
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (!settings.insecure) {
    ASSIGN_OR_RETURN(credentials, ChannelTls(settings.tls));
  } else if (IsLoopback(settings.target)) {
    credentials = grpc::InsecureChannelCredentials();
  } else {
    return absl::FailedPreconditionError(
        absl::StrCat("refused to connect to ", settings.target,
                     " without TLS: that is for the machine's own addresses "
                     "only"));
  }
  return grpc::CreateCustomChannel(settings.target, credentials,
                                   ArgumentsFor(settings));
}

struct PeerChannel::Flight {
  grpc::ClientContext context;
  std::string method;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  std::function<void(PeerReply)> done;
  std::optional<Breaker::Permit> permit;
};

absl::StatusOr<std::unique_ptr<PeerChannel>> PeerChannel::Open(
    ChannelSettings settings, Breaker::Settings breaker, Clock clock,
    Uniform uniform) {
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                   MakeChannel(settings));
  return std::unique_ptr<PeerChannel>(
      new PeerChannel(std::move(settings), std::move(channel), breaker,
                      std::move(clock), std::move(uniform)));
}

PeerChannel::PeerChannel(ChannelSettings settings,
                         std::shared_ptr<grpc::Channel> channel,
                         Breaker::Settings breaker, Clock clock,
                         Uniform uniform)
    : settings_(std::move(settings)),
      stub_(std::move(channel)),
      breaker_(breaker, std::move(clock), std::move(uniform)) {}

PeerChannel::~PeerChannel() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  for (Flight* flight : flights_) flight->context.TryCancel();
  landed_.wait(lock, [this] { return flights_.empty(); });
}

void PeerChannel::Call(std::string_view method, std::string bytes,
                       absl::Time deadline, Metadata metadata,
                       std::function<void(absl::Status, std::string)> done) {
  CallForReply(method, std::move(bytes), deadline, std::move(metadata),
               [done = std::move(done)](PeerReply reply) {
                 done(std::move(reply.status), std::move(reply.bytes));
               });
}

void PeerChannel::CallForReply(std::string_view method, std::string bytes,
                               absl::Time deadline, Metadata metadata,
                               std::function<void(PeerReply)> done) {
  const auto refuse = [&](absl::Status status) {
    done({.status = std::move(status), .bytes = {}, .trailers = {}});
  };
  for (const auto& [key, value] : metadata) {
    if (IsMetadataKey(key) && IsMetadataValue(value)) continue;
    refuse(absl::InvalidArgumentError(
        absl::StrCat("the metadata ", key, " cannot be sent")));
    return;
  }
  const std::optional<Breaker::Permit> permit = breaker_.Admit();
  if (!permit.has_value()) {
    refuse(errors::Unavailable("PEER_UNREACHABLE",
                               "the other side cannot be reached now",
                               breaker_.RetryAfter()));
    return;
  }

  auto owned = std::make_unique<Flight>();
  Flight* flight = owned.get();
  flight->method = "/" + std::string(method);
  flight->request = MakeBuffer(std::move(bytes));
  flight->done = std::move(done);
  flight->permit = permit;
  flight->context.set_deadline(absl::ToChronoTime(deadline));
  for (const auto& [key, value] : metadata) {
    flight->context.AddMetadata(key, value);
  }
  {
    std::lock_guard lock(mutex_);
    // A call on a channel that is closing is cancelled like the others.
    if (closing_) flight->context.TryCancel();
    flights_.insert(owned.release());
  }
  stub_.UnaryCall(
      &flight->context, flight->method, grpc::StubOptions(), &flight->request,
      &flight->response,
      [this, flight](const grpc::Status& status) { Land(flight, status); });
}

void PeerChannel::Land(Flight* landed, const grpc::Status& status) {
  const std::unique_ptr<Flight> flight(landed);
  PeerReply reply{.status = FromGrpc(status),
                  .bytes = {},
                  .trailers = TextTrailers(flight->context)};
  if (reply.status.ok() && !AppendBytes(flight->response, reply.bytes)) {
    reply.status = absl::InternalError("the reply's bytes cannot be read");
  }
  breaker_.Record(*flight->permit, reply.status);
  flight->done(std::move(reply));
  std::lock_guard lock(mutex_);
  flights_.erase(landed);
  landed_.notify_all();
}

bool PeerChannel::Reachable() {
  const Breaker::Snapshot snapshot = breaker_.Look();
  return snapshot.state == Breaker::State::kClosed &&
         snapshot.consecutive_failures == 0;
}

PeerReply PeerChannel::CallAndWait(std::string_view method, std::string bytes,
                                   absl::Time deadline, Metadata metadata) {
  std::promise<PeerReply> promise;
  CallForReply(
      method, std::move(bytes), deadline, std::move(metadata),
      [&promise](PeerReply reply) { promise.set_value(std::move(reply)); });
  return promise.get_future().get();
}

}  // namespace mtp::rpc
