#include "tests/support/load.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>

#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "common/rpc/peer_channel.h"
#include "grpcpp/generic/generic_stub.h"

namespace mtp::tests {
namespace {

// One place among the calls in flight.
class Slot {
 public:
  Slot(const Load& load, std::shared_ptr<grpc::Channel> channel,
       absl::Time measure_from, absl::Time end, absl::BlockingCounter& done)
      : load_(load),
        stub_(std::move(channel)),
        measure_from_(measure_from),
        end_(end),
        done_(done) {}

  void Start() {
    context_ = std::make_unique<grpc::ClientContext>();
    if (!load_.authorization.empty()) {
      context_->AddMetadata("authorization", load_.authorization);
    }
    const std::string bytes = load_.next_request();
    const grpc::Slice slice(bytes);
    request_ = grpc::ByteBuffer(&slice, 1);
    reply_.Clear();
    started_ = absl::Now();
    if (load_.limit != absl::InfiniteDuration()) {
      context_->set_deadline(absl::ToChronoTime(started_ + load_.limit));
    }
    stub_.UnaryCall(context_.get(), load_.method, grpc::StubOptions(),
                    &request_, &reply_,
                    [this](grpc::Status status) { Answered(status); });
  }

  const std::vector<absl::Duration>& latencies() const { return latencies_; }
  int64_t failed() const { return failed_; }
  const std::string& first_failure() const { return first_failure_; }
  const std::map<absl::StatusCode, int64_t>& answers() const {
    return answers_;
  }

 private:
  void Answered(const grpc::Status& status) {
    const absl::Time now = absl::Now();
    ++answers_[static_cast<absl::StatusCode>(status.error_code())];
    if (!status.ok()) {
      if (failed_++ == 0) first_failure_ = status.error_message();
    } else if (started_ >= measure_from_ && now <= end_) {
      latencies_.push_back(now - started_);
    }
    if (now < end_) {
      Start();
    } else {
      done_.DecrementCount();
    }
  }

  const Load& load_;
  grpc::GenericStub stub_;
  const absl::Time measure_from_;
  const absl::Time end_;
  absl::BlockingCounter& done_;
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
  absl::Time started_;
  std::vector<absl::Duration> latencies_;
  int64_t failed_ = 0;
  std::string first_failure_;
  std::map<absl::StatusCode, int64_t> answers_;
};

absl::Duration Percentile(const std::vector<absl::Duration>& sorted,
                          double share) {
  if (sorted.empty()) return absl::ZeroDuration();
  return sorted[static_cast<size_t>(share *
                                    static_cast<double>(sorted.size() - 1))];
}

}  // namespace

std::vector<std::shared_ptr<grpc::Channel>> Channels(const std::string& target,
                                                     const std::string& ca,
                                                     int count) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < count; ++i) {
    rpc::ChannelSettings settings;
    settings.target = target;
    settings.tls.ca = ca;
    settings.server_name = "localhost";
    settings.own_connection = true;
    auto channel = rpc::MakeChannel(settings);
    REQUIRE(channel.ok());
    channels.push_back(*channel);
  }
  return channels;
}

LoadResult Run(const Load& load,
               const std::vector<std::shared_ptr<grpc::Channel>>& channels) {
  absl::BlockingCounter done(load.in_flight);
  const absl::Time measure_from = absl::Now() + load.warm_up;
  const absl::Time end = measure_from + load.measured;
  std::vector<std::unique_ptr<Slot>> slots;
  for (int i = 0; i < load.in_flight; ++i) {
    slots.push_back(std::make_unique<Slot>(load, channels[i % channels.size()],
                                           measure_from, end, done));
  }
  for (auto& slot : slots) slot->Start();
  done.Wait();

  LoadResult outcome;
  std::vector<absl::Duration> all;
  for (const auto& slot : slots) {
    all.insert(all.end(), slot->latencies().begin(), slot->latencies().end());
    outcome.failed += slot->failed();
    for (const auto& [code, count] : slot->answers()) {
      outcome.answers[code] += count;
    }
    if (outcome.first_failure.empty())
      outcome.first_failure = slot->first_failure();
  }
  std::sort(all.begin(), all.end());
  outcome.calls_per_second =
      static_cast<double>(all.size()) / absl::ToDoubleSeconds(load.measured);
  outcome.p50 = Percentile(all, 0.50);
  outcome.p99 = Percentile(all, 0.99);
  return outcome;
}

}  // namespace mtp::tests
