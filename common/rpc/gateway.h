#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/poller.h"
#include "common/rpc/call.h"
#include "common/rpc/peer_channel.h"

namespace mtp::rpc {

// Passes calls of the peer's own methods on to the peer: unparsed, once, with
// their deadline, correlation id, trace and the person's token. What the peer
// answers, errors and details too, is the answer. Nobody is let in here: the
// side that owns the method authenticates, authorises and validates. A call
// that nobody waits for any more, or that this server ends, ends at the peer.
// Thread-safe, never blocks.
class Gateway {
 public:
  // Calls passed on at one time at most; one more is refused, so that a peer
  // that hangs leaves room for this side's own calls.
  static constexpr size_t kMaxInFlight = 1024;
  // However long the client would wait: the longest that mtpctl gives a call.
  static constexpr absl::Duration kMaxTime = absl::Minutes(10);

  // `peer` is closed before the gateway is destroyed.
  explicit Gateway(PeerChannel* peer, size_t max_in_flight = kMaxInFlight);

  // Answers as the peer does, or: UNAVAILABLE with RetryInfo at once when the
  // peer cannot be reached (PEER_UNREACHABLE); RESOURCE_EXHAUSTED when too many
  // are under way; FAILED_PRECONDITION when the call was passed on before
  // (FORWARDED_TWICE); DEADLINE_EXCEEDED when the peer does not answer in time.
  void Pass(std::unique_ptr<Call> call);

 private:
  // A call passed on, and its number at the channel; 0 while it takes off.
  struct Passage {
    std::unique_ptr<Call> call;
    uint64_t flight = 0;
  };

  // Takes a call in and gives its number here; 0, and the call stays whose it
  // was, when there is no room.
  uint64_t Board(std::unique_ptr<Call>& call);
  void Land(uint64_t number, absl::Status status, const Metadata& trailers,
            std::vector<std::string> messages);
  // Calls off what nobody waits for.
  void CallOff();

  PeerChannel* const peer_;
  const size_t max_in_flight_;
  std::mutex mutex_;
  std::map<uint64_t, Passage> passages_;
  uint64_t last_number_ = 0;
  Poller poller_;  // the last: it uses all the others
};

}  // namespace mtp::rpc
