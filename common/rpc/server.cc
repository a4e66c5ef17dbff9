#include "common/rpc/server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/grpc.h"
#include "grpc/support/log.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "grpcpp/server_builder.h"

namespace mtp::rpc {
namespace {

constexpr std::chrono::milliseconds kHouseInterval{250};
constexpr absl::Duration kIdleGrace = absl::Seconds(1);
constexpr absl::Duration kIdleLook = absl::Milliseconds(10);
// Tokens of 8 KiB and what comes with them.
constexpr int kMetadataLimit = 16 << 10;
// So much of an unknown method's name is repeated to who asked for it.
constexpr size_t kMethodShown = 200;

// gRPC's own lines, which would not be JSON, go to the log. gRPC has one hook
// for the whole process; the last server started has it.
std::atomic<telemetry::Log*> library_log{nullptr};

void WriteLibraryLine(gpr_log_func_args* args) {
  telemetry::Log* log = library_log.load();
  if (log == nullptr) return;
  const telemetry::Level level = args->severity == GPR_LOG_SEVERITY_ERROR
                                     ? telemetry::Level::kWarning
                                     : telemetry::Level::kDebug;
  log->Write(level, "grpc", {{"text", args->message}});
}

int Millis(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

// Linking reflection in gives it to every server of the process; this takes it
// away from one.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>*
                         plugins) override {
    std::erase_if(*plugins, [](const auto& plugin) {
      return plugin->name() == "proto_server_reflection";
    });
  }
};

absl::Status CannotListen(const std::string& address) {
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot listen on ", address,
      ": the port is taken, or the address is not this machine's"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    ServerSettings settings, Dependencies dependencies) {
  library_log.store(dependencies.log);
  gpr_set_log_function(&WriteLibraryLine);
  // What protobuf thinks of malformed requests is told to the client.
  google::protobuf::SetLogHandler(nullptr);
  grpc::EnableDefaultHealthCheckService(true);
  std::unique_ptr<Server> server(
      new Server(std::move(settings), std::move(dependencies)));
  RETURN_IF_ERROR(server->StartMain());
  RETURN_IF_ERROR(server->StartProbe());
  server->SetServing(false);
  server->keeper_ = std::thread([s = server.get()] { s->KeepHouse(); });
  return server;
}

Server::Server(ServerSettings settings, Dependencies dependencies)
    : settings_(std::move(settings)),
      dependencies_(std::move(dependencies)),
      streams_(settings_.streams) {}

Server::~Server() {
  Drain(absl::ZeroDuration(), absl::ZeroDuration());
  telemetry::Log* own = dependencies_.log;
  library_log.compare_exchange_strong(own, nullptr);
}

grpc::ServerGenericBidiReactor* Server::NothingElse::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const std::string& method) {
      Finish(grpc::Status(
          grpc::StatusCode::UNIMPLEMENTED,
          absl::StrCat("this server has no method ",
                       absl::CHexEscape(method.substr(0, kMethodShown)),
                       "; it may be of another version, or the other "
                       "side's, with no way there")));
    }
    void OnDone() override { delete this; }
  };
  return new Reactor(context->method());
}

absl::Status Server::StartMain() {
  std::shared_ptr<grpc::ServerCredentials> credentials;
  if (!settings_.insecure) {
    ASSIGN_OR_RETURN(credentials, ServerTls(settings_.tls));
  } else if (IsLoopback(settings_.listen)) {
    credentials = grpc::InsecureServerCredentials();
  } else {
    return absl::FailedPreconditionError(
        absl::StrCat("refused to serve without TLS on ", settings_.listen,
                     ": that is for the machine's own addresses only"));
  }

  grpc::ServerBuilder builder;
  builder.AddListeningPort(settings_.listen, std::move(credentials), &port_);
  builder.SetMaxReceiveMessageSize(settings_.max_message_bytes);
  builder.SetMaxSendMessageSize(-1);
  const std::pair<const char*, int> arguments[] = {
      // Else a second server on the same port would share it in silence.
      {GRPC_ARG_ALLOW_REUSEPORT, 0},
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, settings_.max_concurrent_streams},
      {GRPC_ARG_MAX_METADATA_SIZE, kMetadataLimit},
      {GRPC_ARG_MAX_CONNECTION_AGE_MS, Millis(settings_.max_connection_age)},
      {GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
       Millis(settings_.connection_age_grace)},
      {GRPC_ARG_KEEPALIVE_TIME_MS, Millis(settings_.keepalive_time)},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis(settings_.keepalive_timeout)},
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
       Millis(settings_.least_ping_interval)},
  };
  for (const auto& [name, value] : arguments) {
    builder.AddChannelArgument(name, value);
  }
  if (settings_.reflection) {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  } else {
    builder.SetOption(std::make_unique<WithoutReflection>());
  }
  std::vector<const google::protobuf::ServiceDescriptor*> served =
      dependencies_.pipeline->services();
  const auto& of_peer = dependencies_.pipeline->peer_services();
  served.insert(served.end(), of_peer.begin(), of_peer.end());
  for (const auto* service : served) {
    RETURN_IF_ERROR(RawService::CanServe(service));
    services_.push_back(std::make_unique<RawService>(
        service, dependencies_.pipeline, &streams_));
    builder.RegisterService(services_.back().get());
  }
  builder.RegisterCallbackGenericService(&nothing_else_);
  main_ = builder.BuildAndStart();
  if (main_ == nullptr || port_ == 0) return CannotListen(settings_.listen);
  return absl::OkStatus();
}

absl::Status Server::StartProbe() {
  if (settings_.probe_listen.empty()) return absl::OkStatus();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(settings_.probe_listen,
                           grpc::InsecureServerCredentials(), &probe_port_);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetOption(std::make_unique<WithoutReflection>());
  // gRPC does not start a server that has its own health service alone.
  builder.RegisterCallbackGenericService(&nothing_else_at_probe_);
  probe_ = builder.BuildAndStart();
  if (probe_ == nullptr || probe_port_ == 0) {
    return CannotListen(settings_.probe_listen);
  }
  return absl::OkStatus();
}

void Server::SetServing(bool serving) {
  serving_.store(serving);
  for (grpc::Server* server : {main_.get(), probe_.get()}) {
    if (server == nullptr) continue;
    grpc::HealthCheckServiceInterface* health = server->GetHealthCheckService();
    if (health == nullptr) continue;
    health->SetServingStatus("", serving);
    for (const auto* service : dependencies_.pipeline->services()) {
      health->SetServingStatus(service->full_name(), serving);
    }
  }
}

void Server::Drain(absl::Duration lead, absl::Duration grace) {
  if (std::exchange(drained_, true)) return;
  SetServing(false);
  absl::SleepFor(lead);
  streams_.Drain(dependencies_.clock());
  // gRPC waits for the connections too: an idle client takes up to 15 s to let
  // go of its own, and one that is cut off never does. They are closed soon
  // after the last call.
  std::atomic<bool> down = false;
  std::thread closer([&] {
    absl::Time busy = absl::Now();
    while (!down && absl::Now() - busy < kIdleGrace) {
      absl::SleepFor(kIdleLook);
      if (dependencies_.pipeline->InFlight() > 0) busy = absl::Now();
    }
    if (!down && main_ != nullptr)
      grpc_server_cancel_all_calls(main_->c_server());
  });
  if (main_ != nullptr)
    main_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  down = true;
  closer.join();
  StopKeepingHouse();
  if (probe_ != nullptr) {
    probe_->Shutdown(
        absl::ToChronoTime(absl::Now() + std::min(grace, kIdleGrace)));
  }
}

void Server::KeepHouse() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kHouseInterval,
                                 [this] { return stopping_; })) {
    lock.unlock();
    streams_.EndDue(dependencies_.clock());
    lock.lock();
  }
}

void Server::StopKeepingHouse() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_changed_.notify_all();
  if (keeper_.joinable()) keeper_.join();
}

}  // namespace mtp::rpc
