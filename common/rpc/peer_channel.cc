#include "common/rpc/peer_channel.h"

#include <future>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/base/test_points.h"
#include "common/rpc/bytes.h"
#include "common/rpc/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "grpcpp/support/client_callback.h"

namespace mtp::rpc {
namespace {

// A peer that comes back is found within seconds.
constexpr int kFirstReconnectMillis = 100;
constexpr int kLastReconnectMillis = 1'000;
constexpr int kConnectMillis = 5'000;
// A call that had less and went unanswered says nothing of the peer.
constexpr absl::Duration kTellingTime = absl::Seconds(2);
constexpr absl::Duration kProbeLimit = absl::Seconds(5);
// A connection may be dead, and neither end learns: behind a router that forgot
// it. What is silent for the sum of these is made anew. No shorter than
// ServerSettings::least_ping_interval.
constexpr int kKeepaliveMillis = 3'000;
constexpr int kKeepaliveTimeoutMillis = 3'000;

grpc::ChannelArguments ArgumentsFor(const ChannelSettings& settings) {
  grpc::ChannelArguments arguments;
  const int slower = Planted("channel-not-remade") ? 3'600 : 1;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                   slower * kFirstReconnectMillis);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                   slower * kLastReconnectMillis);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMillis);
  if (!Planted("silence-not-noticed")) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMillis);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
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

// A call under way.
struct PeerChannel::Flight {
  uint64_t number = 0;  // none before it took off
  grpc::ClientContext context;
  std::string method;
  absl::Duration time_given;
  bool passed_on = false;  // for a client, by the gateway
  std::optional<Breaker::Permit> permit;
};

struct PeerChannel::UnaryFlight : Flight {
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  std::function<void(PeerReply)> done;
};

// Writes one message after the other while it reads what comes.
class PeerChannel::StreamFlight final
    : public Flight,
      public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  StreamFlight(PeerChannel* channel, std::vector<std::string> messages,
               std::function<void(PeerStreamReply)> done)
      : channel_(channel),
        messages_(std::move(messages)),
        done_(std::move(done)) {}

  void Start() {
    if (messages_.empty()) StartWritesDone();
    WriteNext();
    StartRead(&incoming_);
    StartCall();
  }

  void Refuse(absl::Status status) {
    done_({.status = std::move(status), .messages = {}, .trailers = {}});
  }

  void OnWriteDone(bool ok) override {
    // A stream that the server ended says why in OnDone.
    if (ok) WriteNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    readable_ =
        AppendBytes(incoming_, reply_.messages.emplace_back()) && readable_;
    incoming_.Clear();
    StartRead(&incoming_);
  }

  void OnDone(const grpc::Status& status) override {
    const std::unique_ptr<StreamFlight> owned(this);
    reply_.trailers = TextTrailers(context);
    reply_.status = channel_->Land(*this, status);
    if (reply_.status.ok() && !readable_) {
      reply_.status = absl::InternalError("the reply's bytes cannot be read");
    }
    done_(std::move(reply_));
    channel_->Forget(this);
  }

 private:
  void WriteNext() {
    if (next_ == messages_.size()) return;
    outgoing_ = MakeBuffer(std::move(messages_[next_++]));
    if (next_ == messages_.size()) {
      StartWriteLast(&outgoing_, grpc::WriteOptions());
    } else {
      StartWrite(&outgoing_);
    }
  }

  PeerChannel* const channel_;
  std::vector<std::string> messages_;
  const std::function<void(PeerStreamReply)> done_;
  size_t next_ = 0;
  grpc::ByteBuffer outgoing_;
  grpc::ByteBuffer incoming_;
  bool readable_ = true;
  PeerStreamReply reply_;
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
  for (const auto& [number, flight] : flights_) flight->context.TryCancel();
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

absl::Status PeerChannel::TakeOff(Flight& flight, absl::Time deadline,
                                  const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (IsMetadataKey(key) && IsMetadataValue(value)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the metadata ", key, " cannot be sent"));
  }
  flight.permit = breaker_.Admit();
  if (!flight.permit.has_value()) {
    return errors::Unavailable("PEER_UNREACHABLE",
                               "the other side cannot be reached now",
                               breaker_.RetryAfter());
  }
  flight.time_given = deadline - absl::Now();
  if (!Planted("silence-not-noticed"))
    flight.context.set_deadline(absl::ToChronoTime(deadline));
  for (const auto& [key, value] : metadata) {
    flight.context.AddMetadata(key, value);
    if (key == kForwardedKey) flight.passed_on = true;
  }
  std::lock_guard lock(mutex_);
  // A call on a channel that is closing is cancelled like the others.
  if (closing_) flight.context.TryCancel();
  flight.number = ++last_number_;
  flights_.emplace(flight.number, &flight);
  return absl::OkStatus();
}

absl::Status PeerChannel::Land(Flight& flight, const grpc::Status& status) {
  absl::Status outcome = FromGrpc(status);
  // Who gives a call no time learns nothing of the peer; nor does the time tell
  // that somebody else gave to a call that is passed on.
  const bool hurried = outcome.code() == absl::StatusCode::kDeadlineExceeded &&
                       IsTransportFailure(outcome) &&
                       (flight.passed_on || flight.time_given < kTellingTime);
  breaker_.Record(
      *flight.permit,
      hurried ? absl::CancelledError("no time was given") : outcome);
  return outcome;
}

void PeerChannel::Forget(Flight* flight) {
  std::lock_guard lock(mutex_);
  flights_.erase(flight->number);
  landed_.notify_all();
}

void PeerChannel::Cancel(uint64_t number) {
  std::lock_guard lock(mutex_);
  const auto found = flights_.find(number);
  if (found != flights_.end()) found->second->context.TryCancel();
}

uint64_t PeerChannel::CallForReply(std::string_view method, std::string bytes,
                                   absl::Time deadline, Metadata metadata,
                                   std::function<void(PeerReply)> done) {
  auto owned = std::make_unique<UnaryFlight>();
  if (absl::Status status = TakeOff(*owned, deadline, metadata); !status.ok()) {
    done({.status = std::move(status), .bytes = {}, .trailers = {}});
    return 0;
  }
  UnaryFlight* flight = owned.release();
  const uint64_t number = flight->number;  // it may be gone before this returns
  flight->method = "/" + std::string(method);
  flight->request = MakeBuffer(std::move(bytes));
  flight->done = std::move(done);
  stub_.UnaryCall(
      &flight->context, flight->method, grpc::StubOptions(), &flight->request,
      &flight->response, [this, flight](const grpc::Status& status) {
        const std::unique_ptr<UnaryFlight> landed(flight);
        PeerReply reply{.status = Land(*flight, status),
                        .bytes = {},
                        .trailers = TextTrailers(flight->context)};
        if (reply.status.ok() && !AppendBytes(flight->response, reply.bytes)) {
          reply.status =
              absl::InternalError("the reply's bytes cannot be read");
        }
        flight->done(std::move(reply));
        Forget(flight);
      });
  return number;
}

uint64_t PeerChannel::Stream(std::string_view method,
                             std::vector<std::string> messages,
                             absl::Time deadline, Metadata metadata,
                             std::function<void(PeerStreamReply)> done) {
  auto owned = std::make_unique<StreamFlight>(this, std::move(messages),
                                              std::move(done));
  if (absl::Status status = TakeOff(*owned, deadline, metadata); !status.ok()) {
    owned->Refuse(std::move(status));
    return 0;
  }
  StreamFlight* flight = owned.release();
  const uint64_t number = flight->number;
  flight->method = "/" + std::string(method);
  stub_.PrepareBidiStreamingCall(&flight->context, flight->method,
                                 grpc::StubOptions(), flight);
  flight->Start();
  return number;
}

bool PeerChannel::Reachable() {
  const Breaker::Snapshot snapshot = breaker_.Look();
  if (snapshot.state == Breaker::State::kClosed &&
      snapshot.consecutive_failures == 0) {
    return true;
  }
  // Where nobody has anything to tell, nobody would find out.
  if (!asking_.exchange(true)) {
    CallForReply("grpc.health.v1.Health/Check", "", absl::Now() + kProbeLimit,
                 {}, [this](const PeerReply&) { asking_ = false; });
  }
  return false;
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
