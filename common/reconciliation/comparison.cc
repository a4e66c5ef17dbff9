#include "common/reconciliation/comparison.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/test_points.h"
#include "common/sync/link_state.h"

namespace mtp::reconciliation {
namespace {

using sync::v1::State;

// Facts that are digested in one go, on either side.
constexpr int64_t kMostAtOnce = 8'000;
constexpr int64_t kFirstWidth = 64;
constexpr int32_t kPageSize = 1'000;
// Greater than that of every transaction that was told of.
constexpr db::Statement kNextTransaction{
    "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"};
constexpr db::Statement kRefused{
    "UPDATE sync.epoch SET refused_by_peer = $1::text "
    "WHERE refused_by_peer <> $1::text"};
// What another way was told before.
constexpr db::Statement kNotRefused{
    "UPDATE sync.epoch SET refused_by_peer = '' WHERE refused_by_peer IN "
    "('REFUSAL_VERSIONS_FELL_BACK', 'REFUSAL_EPOCH_SUPERSEDED')"};
constexpr char kGetDigests[] = "mtp.sync.v1.SyncService/GetDigests";

}  // namespace

absl::StatusOr<sync::v1::Sender> Comparison::Sender() {
  db::Exchange read;
  read.Add(sync::kReadSender);
  read.Add(kNextTransaction);
  ASSIGN_OR_RETURN(const db::Results results, connection_.Run(read));
  sync::v1::Sender sender =
      sync::ReadSender(results[0][0], peer_.side, peer_.instance);
  // The peer must not answer a side that was restored and did not say so: what
  // it lost would look like drift, and be repaired to nothing.
  if (!Planted("high-water-not-said"))
    sender.set_high_water(results[1][0].Get<int64_t>(0));
  return sender;
}

template <typename Response, typename Request>
absl::StatusOr<Response> Comparison::Hear(std::string_view method,
                                          const Request& request) {
  ASSIGN_OR_RETURN(
      const std::string reply,
      peer_.ask(method, request.SerializeAsString(), peer_.call_deadline));
  Response response;
  if (!response.ParseFromString(reply))
    return absl::InternalError("the peer's answer cannot be read");
  return response;
}

template <typename Response, typename Request>
absl::StatusOr<Response> Comparison::Ask(std::string_view method,
                                         const Request& request) {
  ASSIGN_OR_RETURN(Response response, Hear<Response>(method, request));
  const sync::v1::Refusal refusal = response.receipt().refusal();
  const std::string name = sync::v1::Refusal_Name(refusal);
  if (refusal == sync::v1::REFUSAL_VERSIONS_FELL_BACK ||
      refusal == sync::v1::REFUSAL_EPOCH_SUPERSEDED) {
    // That this side was restored it learns from its peer.
    RETURN_IF_ERROR(connection_.Run(kRefused, db::Params().Add(name)).status());
  }
  if (refusal != sync::v1::REFUSAL_UNSPECIFIED)
    return absl::FailedPreconditionError("the peer refused: " + name);
  if (!std::exchange(heard_, true))
    RETURN_IF_ERROR(connection_.Run(kNotRefused).status());
  return response;
}

absl::StatusOr<sync::v1::GetDigestsRequest> Comparison::DigestsRequest(
    const Facts& facts, int64_t first, int64_t last) {
  sync::v1::GetDigestsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_sender(), Sender());
  request.set_kind(facts.kind);
  request.set_owner(facts.owner);
  request.set_bucket_count(static_cast<int32_t>(kBucketCount));
  if (last - first + 1 < kBucketCount) {
    for (int64_t bucket = first; bucket <= last; ++bucket)
      request.add_buckets(static_cast<int32_t>(bucket));
  }
  return request;
}

absl::StatusOr<sync::v1::GetDigestsResponse> Comparison::PeerDigests(
    const Facts& facts, int64_t first, int64_t last) {
  ASSIGN_OR_RETURN(const sync::v1::GetDigestsRequest request,
                   DigestsRequest(facts, first, last));
  return Ask<sync::v1::GetDigestsResponse>(kGetDigests, request);
}

absl::StatusOr<sync::v1::Receipt> Comparison::Introduce(const Facts& facts) {
  ASSIGN_OR_RETURN(const sync::v1::GetDigestsRequest request,
                   DigestsRequest(facts, 0, 0));
  ASSIGN_OR_RETURN(const auto response,
                   Hear<sync::v1::GetDigestsResponse>(kGetDigests, request));
  return response.receipt();
}

absl::StatusOr<std::vector<State>> Comparison::PeerStates(
    const Facts& facts, std::span<const int64_t> buckets) {
  std::vector<State> states;
  sync::v1::ListStatesRequest request;
  // The same for all pages: a page token holds for its request.
  ASSIGN_OR_RETURN(*request.mutable_sender(), Sender());
  request.set_kind(facts.kind);
  request.set_owner(facts.owner);
  request.set_bucket_count(static_cast<int32_t>(kBucketCount));
  request.set_page_size(kPageSize);
  while (!buckets.empty()) {
    request.set_bucket(static_cast<int32_t>(buckets.front()));
    request.mutable_buckets()->Assign(buckets.begin(), buckets.end());
    size_t answered = 1;
    do {
      ASSIGN_OR_RETURN(auto response,
                       Ask<sync::v1::ListStatesResponse>(
                           "mtp.sync.v1.SyncService/ListStates", request));
      std::move(response.mutable_states()->begin(),
                response.mutable_states()->end(), std::back_inserter(states));
      request.set_page_token(response.next_page_token());
      if (response.buckets_size() > 0) answered = buckets.size();
    } while (!request.page_token().empty());
    buckets = buckets.subspan(answered);
  }
  return states;
}

absl::StatusOr<std::vector<int64_t>> Comparison::DifferingBuckets(
    const Facts& facts, int64_t first, int64_t last, int64_t& compared,
    const std::function<bool()>& stop) {
  std::vector<int64_t> differing;
  int64_t width = kFirstWidth;
  while (first <= last) {
    if (stop()) return absl::CancelledError("stopping");
    const int64_t end = std::min(last, first + width - 1);
    std::vector<int64_t> buckets;
    for (int64_t bucket = first; bucket <= end; ++bucket)
      buckets.push_back(bucket);
    ASSIGN_OR_RETURN(
        const db::Result rows,
        connection_.Run(facts.page,
                        db::Params()
                            .Add(std::string())
                            .Add<int64_t>(0)
                            .Add(kBucketCount)
                            .Array(buckets)
                            .Add(std::numeric_limits<int64_t>::max())));
    std::map<int64_t, BucketDigester> own;
    for (const db::Row row : rows) {
      const State state = facts.read(row);
      own.try_emplace(BucketOf(KeyOf(state), kBucketCount),
                      Digested::kVersioned)
          .first->second.Add(state);
    }
    compared += rows.size();
    ASSIGN_OR_RETURN(sync::v1::GetDigestsRequest request,
                     DigestsRequest(facts, first, end));
    request.set_with_versions(true);
    ASSIGN_OR_RETURN(const auto told,
                     Ask<sync::v1::GetDigestsResponse>(kGetDigests, request));
    std::map<int64_t, std::string> theirs;
    int64_t told_count = 0;
    for (const sync::v1::BucketDigest& digest : told.digests()) {
      theirs[digest.bucket()] = digest.digest();
      told_count += digest.state_count();
    }
    const int64_t most = std::max<int64_t>(rows.size(), told_count);
    for (const int64_t bucket : buckets) {
      const auto mine = own.find(bucket);
      const auto peers = theirs.find(bucket);
      const bool same =
          mine == own.end()
              ? peers == theirs.end()
              : peers != theirs.end() && mine->second.Finish() == peers->second;
      if (!same) differing.push_back(bucket);
    }
    first = end + 1;
    if (most > kMostAtOnce && width > 1) {
      width /= 2;
    } else if (most < kMostAtOnce / 4) {
      width = std::min(width * 2, kBucketCount);
    }
  }
  return differing;
}

}  // namespace mtp::reconciliation
