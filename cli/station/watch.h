#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/contract.h"
#include "cli/session.h"
#include "cli/station/line.h"
#include "cli/station/spool.h"
#include "google/protobuf/message.h"

namespace mtp::cli {

// A station: what a line of its scanner and scale asks for.
struct Station {
  // Whoever calls it owns the spool's entries.
  const MethodDescriptor* method = nullptr;
  // A barcode and its weight may come in two lines, from two devices.
  bool barcode_then_weight = false;
  // Lines have no weight.
  bool barcode_only = false;
  // The request of a line, read at `at`, without its request_id. An error says
  // in words what is wrong with the line.
  std::function<absl::StatusOr<std::shared_ptr<google::protobuf::Message>>(
      const StationLine& line, absl::Time at)>
      request;
};

// Says what is kept from a run before, at a station's start, ahead of anything
// else: each line of which nobody may have heard, the newest of the others, and
// how many there are. From then on a line that no line of output names was not
// recorded.
absl::Status TellFromBefore(Session& session, Spool& spool);

// Reads lines from `input` until it ends. Each is on the disk before it is
// sent, and a line of output says what came of it; while nobody answers, lines
// are kept, and sent in order when somebody does. FAILED_PRECONDITION: some
// line was refused or could not be read; UNAVAILABLE: some still wait at the
// end.
absl::Status Watch(Session& session, Spool& spool, const Station& station,
                   int input);

// Sends what the spool keeps until nothing waits or nobody answers, and says of
// each what came of it. Errors as of Watch.
absl::Status SendSpool(Session& session, Spool& spool);

// `ok    14:02:07  …`: what came of an entry, in a line.
void TellAnswer(Session& session, const Spool::Entry& entry, bool late,
                const absl::Status& status,
                const google::protobuf::Message* response);

// What people call a thing, as an id: asked for if somebody answers, else what
// it meant when this station asked last.
absl::StatusOr<std::string> NameOrLast(
    Session& session, Spool& spool, const std::string& kind,
    const std::string& name,
    absl::StatusOr<std::string> (*lookup)(Session&, const std::string&));

}  // namespace mtp::cli
