#include "common/telemetry/metrics.h"

#include <prometheus/exposer.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mtp::telemetry {
namespace {

constexpr const char* kCodeNames[] = {"OK",
                                      "CANCELLED",
                                      "UNKNOWN",
                                      "INVALID_ARGUMENT",
                                      "DEADLINE_EXCEEDED",
                                      "NOT_FOUND",
                                      "ALREADY_EXISTS",
                                      "PERMISSION_DENIED",
                                      "RESOURCE_EXHAUSTED",
                                      "FAILED_PRECONDITION",
                                      "ABORTED",
                                      "OUT_OF_RANGE",
                                      "UNIMPLEMENTED",
                                      "INTERNAL",
                                      "UNAVAILABLE",
                                      "DATA_LOSS",
                                      "UNAUTHENTICATED"};

constexpr int kUnknown = 2;

}  // namespace

Buckets SecondsBuckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
          0.1,    0.25,  0.5,    1,     2.5,  10,    30};
}

Buckets SizeBuckets() { return {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}; }

void MethodMetrics::Handled(int code, absl::Duration took) {
  if (code < 0 || code >= kCodes) code = kUnknown;
  prometheus::Counter* counter = handled_[code].load(std::memory_order_acquire);
  if (counter == nullptr) {
    Labels labels = labels_;
    labels["grpc_code"] = kCodeNames[code];
    // The family gives one and the same counter for the same labels.
    counter = &handled_family_->Add(labels);
    handled_[code].store(counter, std::memory_order_release);
  }
  counter->Increment();
  seconds_->Observe(absl::ToDoubleSeconds(took));
}

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {}

Metrics::~Metrics() = default;

absl::Status Metrics::Expose(const std::string& listen) {
  std::lock_guard lock(mutex_);
  try {
    // Scrapes come one at a time; what else connects must not keep them out.
    auto exposer =
        std::make_unique<prometheus::Exposer>(std::vector<std::string>{
            "listening_ports", listen, "num_threads", "4", "request_timeout_ms",
            "2000", "enable_keep_alive", "no"});
    exposer->RegisterCollectable(registry_);
    exposer_ = std::move(exposer);
  } catch (const std::exception& e) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot serve metrics on ", listen,
                     ": is the port taken? (", e.what(), ")"));
  }
  return absl::OkStatus();
}

int Metrics::port() const {
  if (exposer_ == nullptr) return 0;
  const std::vector<int> ports = exposer_->GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

std::string Metrics::Text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

prometheus::Counter* Metrics::Counter(const std::string& name,
                                      const std::string& help,
                                      const Labels& labels) {
  return &prometheus::BuildCounter()
              .Name(name)
              .Help(help)
              .Register(*registry_)
              .Add(labels);
}

prometheus::Gauge* Metrics::Gauge(const std::string& name,
                                  const std::string& help,
                                  const Labels& labels) {
  return &prometheus::BuildGauge()
              .Name(name)
              .Help(help)
              .Register(*registry_)
              .Add(labels);
}

prometheus::Histogram* Metrics::Histogram(const std::string& name,
                                          const std::string& help,
                                          const Buckets& buckets,
                                          const Labels& labels) {
  return &prometheus::BuildHistogram()
              .Name(name)
              .Help(help)
              .Register(*registry_)
              .Add(labels, buckets);
}

std::unique_ptr<MethodMetrics> Metrics::ForMethod(const std::string& type,
                                                  const std::string& service,
                                                  const std::string& method) {
  auto metrics = std::make_unique<MethodMetrics>();
  metrics->labels_ = {
      {"grpc_type", type}, {"grpc_service", service}, {"grpc_method", method}};
  metrics->started_ = Counter("grpc_server_started_total",
                              "Calls that came in.", metrics->labels_);
  metrics->handled_family_ = &prometheus::BuildCounter()
                                  .Name("grpc_server_handled_total")
                                  .Help("Calls answered, by status code.")
                                  .Register(*registry_);
  metrics->seconds_ = Histogram("grpc_server_handling_seconds",
                                "From a call's arrival to its answer.",
                                SecondsBuckets(), metrics->labels_);
  return metrics;
}

LaneMetrics Metrics::ForLane(const std::string& lane) {
  const Labels labels = {{"lane", lane}};
  return {
      .queue_depth =
          Gauge("mtp_lane_queue_depth", "Calls waiting for a lane.", labels),
      .refused = Counter("mtp_lane_refused_total",
                         "Calls turned away at a full queue.", labels),
      .batch_size = Histogram("mtp_lane_batch_size", "Calls in one batch.",
                              SizeBuckets(), labels),
      .transaction_seconds =
          Histogram("mtp_lane_transaction_seconds",
                    "From a batch's first statement to its outcome.",
                    SecondsBuckets(), labels),
      .reruns = Counter("mtp_lane_reruns_total",
                        "Batches run again after a conflict.", labels),
      .taken_apart = Counter(
          "mtp_lane_taken_apart_total",
          "Batches refused by the database and run call by call.", labels),
      .in_doubt = Counter("mtp_lane_in_doubt_total",
                          "Commits whose outcome had to be looked up.", labels),
      .replayed = Counter("mtp_lane_replayed_total",
                          "Calls answered with a stored reply.", labels),
      .reconnects = Counter("mtp_lane_reconnects_total",
                            "Connections to the database made anew.", labels),
  };
}

SyncMetrics Metrics::ForSync(const std::string& peer) {
  const Labels labels = {{"peer", peer}};
  const auto states = [&](const char* verdict) {
    return Counter("mtp_sync_states_total",
                   "States told to the peer, by its verdict.",
                   {{"peer", peer}, {"verdict", verdict}});
  };
  return {
      .outbox_entities = Gauge("mtp_sync_outbox_entities",
                               "Entities the peer has not confirmed.", labels),
      .lag_seconds = Gauge("mtp_sync_lag_seconds",
                           "Age of the oldest unconfirmed entity.", labels),
      .breaker_state =
          Gauge("mtp_sync_breaker_state",
                "The circuit breaker: 0 closed, 1 half open, 2 open.", labels),
      .breaker_opened = Counter("mtp_sync_breaker_opened_total",
                                "Times the circuit breaker opened.", labels),
      .dead_letters =
          Gauge("mtp_sync_dead_letters", "States set aside as poison.", labels),
      .sends = Counter("mtp_sync_sends_total", "Calls to the peer.", labels),
      .send_failures = Counter("mtp_sync_send_failures_total",
                               "Calls to the peer that failed.", labels),
      .send_seconds = Histogram("mtp_sync_send_seconds",
                                "How long a call to the peer took.",
                                SecondsBuckets(), labels),
      .batch_size = Histogram("mtp_sync_batch_size", "States in one call.",
                              SizeBuckets(), labels),
      .applied = states("applied"),
      .stale = states("stale"),
      .poison = states("poison"),
  };
}

}  // namespace mtp::telemetry
