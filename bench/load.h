#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/channel.h"

// A closed-loop load: so many calls in flight at any moment, each followed by
// the next as soon as it was answered.
namespace mtp::bench {

struct Load {
  std::string
      method;  // /mtp.processing.v1.AllocationService/AllocateToShipment
  // The bytes of the next request. Called on several threads at once.
  std::function<std::string()> next_request;
  std::string authorization;  // the header, or empty
  int in_flight = 1;
  // Not measured: caches fill, statements are prepared.
  absl::Duration warm_up = absl::Seconds(2);
  absl::Duration measured = absl::Seconds(6);
};

struct Outcome {
  double calls_per_second = 0;
  absl::Duration p50;
  absl::Duration p99;
  int64_t failed = 0;
  std::string first_failure;
};

// Spreads the calls over the channels.
Outcome Run(const Load& load,
            const std::vector<std::shared_ptr<grpc::Channel>>& channels);

}  // namespace mtp::bench
