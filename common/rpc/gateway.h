#pragma once

#include <atomic>
#include <memory>

#include "common/rpc/call.h"
#include "common/rpc/peer_channel.h"

namespace mtp::rpc {

// Passes calls of the peer's own methods on to the peer: unparsed, once, with
// their deadline, correlation id, trace and the person's token. What the peer
// answers, errors and details too, is the answer. Nobody is let in here: the
// side that owns the method authenticates, authorises and validates.
// Thread-safe, never blocks.
class Gateway {
 public:
  // Calls passed on at one time at most; one more is refused, so that a peer
  // that hangs leaves room for this side's own calls.
  static constexpr int kMaxInFlight = 1024;

  // `peer` is closed before the gateway is destroyed.
  explicit Gateway(PeerChannel* peer, int max_in_flight = kMaxInFlight)
      : peer_(peer), max_in_flight_(max_in_flight) {}

  // Answers as the peer does, or: UNAVAILABLE with RetryInfo at once when the
  // peer cannot be reached (PEER_UNREACHABLE); RESOURCE_EXHAUSTED when too many
  // are under way; FAILED_PRECONDITION when the call was passed on before
  // (FORWARDED_TWICE); DEADLINE_EXCEEDED when the peer does not answer in time.
  void Pass(std::unique_ptr<Call> call);

 private:
  void PassUnary(std::shared_ptr<Call> call, Metadata metadata);
  void PassStream(std::shared_ptr<Call> call, Metadata metadata);

  PeerChannel* const peer_;
  const int max_in_flight_;
  std::atomic<int> in_flight_{0};
};

}  // namespace mtp::rpc
