#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/rpc/status.pb.h"

namespace mtp::cli {

// How the program ends; scripts count on the numbers.
enum ExitCode {
  kDone = 0,
  // The command line, or a file it names, is wrong.
  kUsage = 1,
  // A rule of the platform says no.
  kRefused = 2,
  // The person may not do this, or nobody knows who it is.
  kNotAllowed = 3,
  // Nobody answers, or too late, or too busy: try again.
  kUnavailable = 4,
  // Somebody made a mistake in a program.
  kFault = 5,
};
// The same, as the help prints it.
extern const char kExitCodesHelp[];

// The caller's own mistake, found before anything was sent.
absl::Status UsageError(std::string_view message);
// What was asked was not done, or not all of it, and that is told already.
absl::Status AlreadyTold();
bool IsAlreadyTold(const absl::Status& status);

ExitCode ExitCodeOf(const absl::Status& status);

// What is known of the call that failed.
struct FailedCall {
  std::string method;
  std::string access;
  std::string target;
  std::string role;
  std::string correlation_id;
  // Of a call that changes something, else empty.
  std::string request_id;
};

// What a person reads of a failure: what is wrong, why, each field, the values,
// what to do next, and the ids by which others find it. Lines end with a line
// feed.
std::string FailureText(const absl::Status& status, const FailedCall& call);
// The same for programs: one JSON object.
std::string FailureJson(const absl::Status& status, const FailedCall& call);

// An error that a response carries, as of one item of a batch.
absl::Status StatusOf(const google::rpc::Status& error);
// `INSUFFICIENT_REMAINING: bag … has 12.5 kg left`.
std::string OneLine(const absl::Status& status);

}  // namespace mtp::cli
