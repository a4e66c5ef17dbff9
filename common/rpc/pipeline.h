#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/call.h"
#include "common/rpc/identity.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/status.h"

namespace mtp::rpc {

// A place among the calls in flight, given back when it is destroyed.
class InFlightTicket {
 public:
  InFlightTicket() = default;
  explicit InFlightTicket(std::atomic<int>* count) : count_(count) {}
  InFlightTicket(InFlightTicket&& other) noexcept
      : count_(std::exchange(other.count_, nullptr)) {}
  InFlightTicket& operator=(InFlightTicket&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~InFlightTicket() {
    if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<int>* count_ = nullptr;
};

// The transport's half of one call. Lives until it has been answered and the
// transport is done with it.
class Exchange {
 public:
  Exchange() = default;
  Exchange(Exchange&&) = default;
  Exchange& operator=(Exchange&&) = default;
  virtual ~Exchange() = default;
  // The first value of a request header; empty when there is none. Valid as
  // long as the exchange.
  virtual std::string_view Header(std::string_view key) const = 0;
  virtual bool HasSeveral(std::string_view key) const = 0;
  // The names in the client's verified certificate; none without one.
  virtual std::vector<std::string> CertificateNames() const = 0;
  // The client's IP address; empty when it is not known.
  virtual std::string RemoteAddress() const { return ""; }
  // The infinite future when the client set none.
  virtual absl::Time Deadline() const = 0;
  virtual bool Cancelled() const = 0;
  virtual void AddTrailer(std::string_view key, std::string_view value) = 0;
  // Answers; exactly once. Unless the call is a server stream there is one
  // message, or none with an error. The exchange may be gone afterwards.
  virtual void Answer(grpc::Status status,
                      std::vector<std::string> messages) = 0;

  InFlightTicket ticket;
};

// Whether exactly one kind of access is declared on the method. A method
// without it answers nobody.
bool DeclaresAccess(const google::protobuf::MethodDescriptor* method);

// The linked services of these packages, by name.
std::vector<const google::protobuf::ServiceDescriptor*> LinkedServices(
    const std::vector<std::string>& packages);

// What happens to every call, whatever the method: correlation and trace,
// authenticate, authorise, validate, deadline, handler; then status, metrics
// and one line in the log. Thread-safe once all methods are routed.
class Pipeline final : public Router {
 public:
  struct Settings {
    // The domain of the service's errors: `mtp.order`.
    std::string domain;
    // The packages whose services are served: `mtp.order.v1`.
    std::vector<std::string> packages;
    // The packages whose services are the peer's and are passed on to it.
    std::vector<std::string> peer_packages;
    // Calls taken at one time, waiting ones included: some 30 KB each.
    int max_in_flight = 4096;
    // For calls that came without one.
    absl::Duration default_deadline = absl::Seconds(30);
    // What a person may call who must change the password first:
    // `mtp.order.v1.SessionService.SignOut`.
    std::vector<std::string> before_password_change;
  };
  // All outlive the pipeline.
  struct Dependencies {
    telemetry::Log* log;
    telemetry::Metrics* metrics;
    const Authenticator* authenticator;
    Clock clock = SystemClock();
  };

  // Fails when a package has no service that is linked in.
  static absl::StatusOr<std::unique_ptr<Pipeline>> Create(
      Settings settings, Dependencies dependencies);
  ~Pipeline() override;

  void Route(std::string_view method, Handler handler) override;
  // Who takes the calls of the peer's methods. They come as they were sent:
  // not authenticated, not authorised, not parsed.
  void RoutePeer(const Handler& handler);

  const std::vector<const google::protobuf::ServiceDescriptor*>& services()
      const {
    return services_;
  }
  const std::vector<const google::protobuf::ServiceDescriptor*>& peer_services()
      const {
    return peer_services_;
  }
  // Methods that no handler was routed for.
  std::vector<std::string> Unrouted() const;
  int InFlight() const { return in_flight_.load(std::memory_order_relaxed); }

  // What the pipeline knows of one method; lives as long as the pipeline.
  struct Entry;
  Entry* Find(const google::protobuf::MethodDescriptor* method) const;

  // A call that has begun to come in: up to and with authorisation. Null when
  // the exchange has been answered already. Does not throw.
  std::unique_ptr<Call> Open(Entry* entry, Exchange* exchange);
  // The rest of its way, when all bytes of the request are there. `call` is
  // one that Open gave. Does not throw.
  void Submit(std::unique_ptr<Call> call, std::string bytes);

 private:
  class OpenCall;

  Pipeline(Settings settings, Dependencies dependencies);
  void AddService(const google::protobuf::ServiceDescriptor* service,
                  bool of_peer);
  absl::Status Admit(OpenCall& call);
  absl::Status Authorise(const Entry& entry, const Caller& caller) const;
  absl::Status Prepare(OpenCall& call, std::string bytes);
  void Report(const OpenCall& call, const absl::Status& status,
              size_t reply_bytes);

  const Settings settings_;
  const Dependencies dependencies_;
  std::vector<const google::protobuf::ServiceDescriptor*> services_;
  std::vector<const google::protobuf::ServiceDescriptor*> peer_services_;
  std::map<const google::protobuf::MethodDescriptor*, std::unique_ptr<Entry>>
      entries_;
  std::atomic<int> in_flight_{0};
};

}  // namespace mtp::rpc
