#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace prometheus {
class Exposer;
class Registry;
}  // namespace prometheus

namespace mtp::telemetry {

using Labels = std::map<std::string, std::string>;
using Buckets = std::vector<double>;

// Bucket bounds from half a millisecond to half a minute.
Buckets SecondsBuckets();
// 1, 2, 4 … 1024.
Buckets SizeBuckets();

// The counters that a gRPC dashboard expects, of one method.
class MethodMetrics {
 public:
  void Started() { started_->Increment(); }
  // `code` is a gRPC status code, 0 to 16.
  void Handled(int code, absl::Duration took);

 private:
  friend class Metrics;
  static constexpr int kCodes = 17;

  Labels labels_;
  prometheus::Family<prometheus::Counter>* handled_family_ = nullptr;
  prometheus::Counter* started_ = nullptr;
  prometheus::Histogram* seconds_ = nullptr;
  // A series appears when its code is first answered.
  std::array<std::atomic<prometheus::Counter*>, kCodes> handled_{};
};

// What a command or query lane tells of itself.
struct LaneMetrics {
  prometheus::Gauge* queue_depth;
  // Calls turned away because the queue was full.
  prometheus::Counter* refused;
  prometheus::Histogram* batch_size;
  prometheus::Histogram* transaction_seconds;
  // Batches run again: serialization, deadlock, a lost race for a key.
  prometheus::Counter* reruns;
  // Batches taken apart because the database refused them as a whole.
  prometheus::Counter* taken_apart;
  // Commits whose outcome had to be looked up.
  prometheus::Counter* in_doubt;
  // Calls answered with the stored reply of an earlier one.
  prometheus::Counter* replayed;
  prometheus::Counter* reconnects;
};

// What the link to the other side tells of itself.
struct SyncMetrics {
  // Entities that the other side has not confirmed, and the age of the oldest.
  prometheus::Gauge* outbox_entities;
  prometheus::Gauge* lag_seconds;
  // 0 closed, 1 half open, 2 open.
  prometheus::Gauge* breaker_state;
  prometheus::Counter* breaker_opened;
  prometheus::Gauge* dead_letters;
  prometheus::Counter* sends;
  prometheus::Counter* send_failures;
  prometheus::Histogram* send_seconds;
  prometheus::Histogram* batch_size;
  // States that the peer was told, by its verdict. (Those that come in are
  // counted where they come from.)
  prometheus::Counter* applied;
  prometheus::Counter* stale;
  prometheus::Counter* poison;
};

// The process's metrics and the page that shows them. Getting a metric takes a
// lock and is for start-up: keep the pointer, which lives as long as this.
// Using a metric is thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Serves `http://LISTEN/metrics`. Port 0 takes a free one.
  absl::Status Expose(const std::string& listen);
  // The port being served; 0 before Expose.
  int port() const;
  // What the page shows.
  std::string Text() const;

  prometheus::Counter* Counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge* Gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  prometheus::Histogram* Histogram(const std::string& name,
                                   const std::string& help,
                                   const Buckets& buckets,
                                   const Labels& labels = {});

  // `type` is `unary`, `client_stream` or `server_stream`; `service` is
  // `mtp.order.v1.PlanService`.
  std::unique_ptr<MethodMetrics> ForMethod(const std::string& type,
                                           const std::string& service,
                                           const std::string& method);
  LaneMetrics ForLane(const std::string& lane);
  SyncMetrics ForSync(const std::string& peer);

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  std::mutex mutex_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace mtp::telemetry
