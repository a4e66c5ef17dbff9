#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/connection.h"
#include "common/reconciliation/facts.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::reconciliation {

// How the peer is asked what it has.
struct PeerAccess {
  common::v1::Side side = common::v1::SIDE_UNSPECIFIED;  // this one
  std::string instance;
  // Asks and waits for the answer; fails at once while the breaker refuses.
  std::function<absl::StatusOr<std::string>(std::string_view method,
                                            const std::string& request,
                                            absl::Duration deadline)>
      ask;
  absl::Duration call_deadline = absl::Seconds(10);
};

// So many buckets that one of a million facts holds a thousand.
inline constexpr int64_t kBucketCount = 1024;
// So many buckets are looked through in one go: each go reads a whole table.
inline constexpr size_t kBucketsAtOnce = 16;

// Which buckets of the shared facts differ between the two sides, and what the
// peer has in them. For one thread, over a connection that outlives it.
class Comparison {
 public:
  Comparison(const PeerAccess& peer, db::Connection& connection)
      : peer_(peer), connection_(connection) {}

  // Of the buckets from `first` to `last`, those that differ, whoever owns the
  // facts; adds how many this side has to `compared`. CANCELLED once `stop`
  // says so.
  absl::StatusOr<std::vector<int64_t>> DifferingBuckets(
      const Facts& facts, int64_t first, int64_t last, int64_t& compared,
      const std::function<bool()>& stop);
  // All that the peer has of some buckets.
  absl::StatusOr<std::vector<sync::v1::State>> PeerStates(
      const Facts& facts, std::span<const int64_t> buckets);
  // Digests of these buckets, the greatest version and the greatest code.
  absl::StatusOr<sync::v1::GetDigestsResponse> PeerDigests(const Facts& facts,
                                                           int64_t first,
                                                           int64_t last);
  // What the peer knows of both epochs, and thinks of this side.
  absl::StatusOr<sync::v1::Receipt> Introduce(const Facts& facts);
  // This side now, as it introduces itself.
  absl::StatusOr<sync::v1::Sender> Sender();

 private:
  // The answer, whatever its receipt says.
  template <typename Response, typename Request>
  absl::StatusOr<Response> Hear(std::string_view method,
                                const Request& request);
  template <typename Response, typename Request>
  absl::StatusOr<Response> Ask(std::string_view method, const Request& request);
  absl::StatusOr<sync::v1::GetDigestsRequest> DigestsRequest(const Facts& facts,
                                                             int64_t first,
                                                             int64_t last);

  const PeerAccess& peer_;
  db::Connection& connection_;
  bool heard_ = false;  // by this comparison, without a refusal
};

}  // namespace mtp::reconciliation
