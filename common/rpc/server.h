#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/pipeline.h"
#include "common/rpc/service.h"
#include "common/rpc/tls.h"
#include "common/telemetry/log.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"

namespace mtp::rpc {

struct ServerSettings {
  // `host:port`; port 0 takes a free one.
  std::string listen;
  // The plaintext port with the health service alone; empty for none.
  std::string probe_listen;
  TlsFiles tls;
  // No TLS: only on the machine's own addresses.
  bool insecure = false;
  bool reflection = true;
  OpenStreams::Limits streams;
  // One message; a client stream may have many.
  int max_message_bytes = 4 << 20;
  int max_concurrent_streams = 1024;  // of one connection
  // After this a client must connect anew: to see new certificates, and other
  // replicas.
  absl::Duration max_connection_age = absl::Minutes(30);
  absl::Duration connection_age_grace = absl::Minutes(1);
  // How often a silent client is asked whether it is there, and how long it
  // has to answer.
  absl::Duration keepalive_time = absl::Minutes(1);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  // Clients that ping more often are sent away.
  absl::Duration least_ping_interval = absl::Seconds(2);
};

// The server: every service of the pipeline, health (overall and per service,
// Watch too), reflection, and the probe port.
class Server {
 public:
  struct Dependencies {  // all outlive the server
    Pipeline* pipeline;
    telemetry::Log* log;
    Clock clock = SystemClock();
  };

  // Listens and serves; health says NOT_SERVING until SetServing. Fails with a
  // line for people: which file, which port.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      ServerSettings settings, Dependencies dependencies);
  // Stops at once if it was not drained.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  int probe_port() const { return probe_port_; }

  // What health says of the whole and of every service, on both ports.
  void SetServing(bool serving);
  bool serving() const { return serving_.load(); }

  // Stops as one wants it: health says NOT_SERVING; waits `lead` for balancers
  // to see it; takes no more calls; finishes what runs, at most `grace`; then
  // cancels the rest. Connections that clients keep are closed a second after
  // the last call. Blocks until all is done.
  void Drain(absl::Duration lead, absl::Duration grace);

 private:
  Server(ServerSettings settings, Dependencies dependencies);
  absl::Status StartMain();
  absl::Status StartProbe();
  void KeepHouse();
  void StopKeepingHouse();

  // Answers what no service of the server has.
  class NothingElse final : public grpc::CallbackGenericService {
   public:
    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override;
  };

  const ServerSettings settings_;
  const Dependencies dependencies_;
  OpenStreams streams_;
  std::vector<std::unique_ptr<RawService>> services_;
  NothingElse nothing_else_;
  NothingElse nothing_else_at_probe_;
  std::unique_ptr<grpc::Server> main_;
  std::unique_ptr<grpc::Server> probe_;
  int port_ = 0;
  int probe_port_ = 0;
  std::atomic<bool> serving_{false};
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  bool drained_ = false;
  std::thread keeper_;
};

}  // namespace mtp::rpc
