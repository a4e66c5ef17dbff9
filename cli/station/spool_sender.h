#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/contract.h"
#include "cli/station/spool.h"
#include "common/base/clock.h"
#include "google/protobuf/message.h"

namespace mtp::cli {

// Sends what a spool keeps, the oldest first, and writes down what came back.
// An entry whose outcome is unknown stays the first until it is known.
class SpoolSender {
 public:
  struct Dependencies {
    // Makes the call; its error has the server's details.
    std::function<absl::Status(google::protobuf::Message& request,
                               google::protobuf::Message& response)>
        call;
    // Tells people of each entry that was answered: OK with the response (of a
    // batch, that of the entry itself), or why it was refused. What is done is
    // told first and written down then, so that a kill between the two tells it
    // twice and never not at all; one that was refused by itself stays in the
    // spool, and is marked as told afterwards.
    std::function<void(const Spool::Entry& entry, const absl::Status& status,
                       const google::protobuf::Message* response)>
        answered;
    // Who would call the method now: another caller's attempts cannot be
    // repeated.
    std::function<absl::StatusOr<std::string>(const MethodDescriptor& method)>
        caller;
    Clock clock = SystemClock();
  };

  enum class Step {
    // Something was answered; there may be more.
    kAnswered,
    // Nothing waits.
    kIdle,
    // Nobody answered; `why` says it. Try again later.
    kNoAnswer,
    // Nobody may: the token, the role, or another caller's attempt.
    kNotAllowed,
  };
  struct Result {
    Step step = Step::kIdle;
    absl::Status why;
  };

  // `spool` outlives it.
  SpoolSender(Spool& spool, Dependencies dependencies)
      : spool_(spool), on_(std::move(dependencies)) {}

  // Sends the first entry that waits, or the batch that begins with it. An
  // error is the spool's own: it cannot be written.
  absl::StatusOr<Result> SendNext();

 private:
  // OK if this is who recorded the entry.
  absl::Status CheckCaller(const Spool::Entry& entry) const;
  absl::StatusOr<Result> SendOne(int64_t number);
  absl::StatusOr<Result> SendBatch(const std::string& batch);
  absl::StatusOr<Result> SetAside(int64_t number, const absl::Status& why);
  absl::StatusOr<Result> SetBatchAside(const std::string& batch,
                                       const absl::Status& why);
  absl::Status TakeVerdicts(const std::string& batch,
                            const google::protobuf::Message& response);
  // Whether the service may have forgotten that it was asked.
  bool TooLate(const Spool::Entry& entry) const;

  Spool& spool_;
  const Dependencies on_;
  // Of the first entry, in a row.
  int faults_ = 0;
};

}  // namespace mtp::cli
