#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"

// A closed-loop load: so many calls in flight at any moment, each followed by
// the next as soon as it was answered.
namespace mtp::tests {

struct Load {
  std::string
      method;  // /mtp.processing.v1.AllocationService/AllocateToShipment
  // The bytes of the next request. Called on several threads at once.
  std::function<std::string()> next_request;
  std::string authorization;  // the header, or empty
  int in_flight = 1;
  // For the answer to one call.
  absl::Duration limit = absl::InfiniteDuration();
  // Not measured: caches fill, statements are prepared.
  absl::Duration warm_up = absl::Seconds(2);
  absl::Duration measured = absl::Seconds(6);
};

struct LoadResult {
  double calls_per_second = 0;
  absl::Duration p50;
  absl::Duration p99;
  int64_t failed = 0;
  // Of all calls, those in the warm-up included.
  std::map<absl::StatusCode, int64_t> answers;
  std::string first_failure;
};

// So many channels, each with a connection of its own. `target` as gRPC reads
// it, `ca` a file. Fails the test when they cannot be made.
std::vector<std::shared_ptr<grpc::Channel>> Channels(const std::string& target,
                                                     const std::string& ca,
                                                     int count = 2);

// Spreads the calls over the channels.
LoadResult Run(const Load& load,
               const std::vector<std::shared_ptr<grpc::Channel>>& channels);

}  // namespace mtp::tests
