#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace mtp::tests {

// A line that lies between clients and what serves them, and that a test
// disturbs. It listens in this process and joins each connection that comes to
// one of its targets, in turn, past those that refuse, as a Kubernetes service
// does; when all refuse, it closes it. Undisturbed it passes bytes and the end
// of either direction as they come, with room for 64 KiB a direction.
//
// Disturbances add up until Calm lifts them all. Every call is safe from any
// thread at any time, and what it asks for is in force when it returns. Ends,
// with all its connections, in its destructor.
class Line {
 public:
  enum class Way { kToTarget, kToClient };

  struct Options {
    // `127.0.0.1:PORT`, or the path of a unix socket: libpq finds
    // `FOLDER/.s.PGSQL.PORT` by host=FOLDER port=PORT. A socket that lies there
    // is replaced, and removed in the end.
    std::string listen;
    // The same, of what serves; at least one.
    std::vector<std::string> targets;
  };

  explicit Line(Options options);
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Bytes pass no sooner than so long after they came. A direction then
  // carries no more than 64 KiB in that time.
  void Delay(Way way, absl::Duration delay);
  // At most so many bytes pass in one piece, both ways.
  void Trickle(size_t bytes);

  // From now on nothing passes that way, neither bytes nor the end; whoever
  // sends them does not learn. Connections that lost something are cut when it
  // is lifted, for nothing whole could follow.
  void Lose(Way way);
  // The same of both ways, as of a machine that lost its power: all connections
  // of that time are cut when it is lifted.
  void HalfOpen();

  // The connections that there are now are dead, and neither end learns: what
  // they say is lost until both have closed them or the line is cut, and Calm
  // does not bring them back. New ones pass. So it is behind a router that
  // forgot them.
  void Forget();

  // Closes all connections.
  void Cut();
  // The same, and refuses new ones.
  void Partition();
  // Lets so many more bytes of one connection pass that way, and cuts it; of
  // that which comes there first, counted from now. 0: cuts instead of passing
  // anything.
  void CutAfter(Way way, int64_t bytes);
  // The target hears what it is told, and its next bytes cut the connection.
  void CutBeforeReply() { CutAfter(Way::kToClient, 0); }
  // The same, but not before a reply that bears this, such as the word that a
  // transaction is committed.
  void CutBeforeReplyWith(std::string text);
  // As soon as something was passed to a target, all that came until then, the
  // connection is cut.
  void CutAfterRequest();

  // Lifts all of it.
  void Calm();

  // What the line has seen since it stands.
  struct Counts {
    int64_t accepted = 0;
    // With a target, and not closed.
    int64_t open = 0;
    // Refused by all targets.
    int64_t refused = 0;
    // Closed by a disturbance, its lifting, or the failure of an end.
    int64_t cut = 0;
    int64_t bytes_to_target = 0;
    int64_t bytes_to_client = 0;
    int64_t bytes_lost = 0;
  };
  Counts Seen();

 private:
  class Switchboard;

  const std::unique_ptr<Switchboard> switchboard_;
};

}  // namespace mtp::tests
