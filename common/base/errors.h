#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

// The errors a client can act on: an absl::Status whose payloads are the
// google.rpc details, keyed by their type URL. The edge of the server turns
// them into a grpc::Status and adds the service's domain. Each service names
// its own errors in functions built on these.
namespace mtp::errors {

using Values = std::vector<std::pair<std::string, std::string>>;

// A status with an ErrorInfo. `reason` is UPPER_SNAKE_CASE; `values` are what
// a program needs to react (codes, amounts with their unit in the name).
absl::Status Make(absl::StatusCode code, std::string_view reason,
                  std::string_view message, const Values& values = {});

// The world is not ready for the request.
absl::Status FailedPrecondition(std::string_view reason,
                                std::string_view message,
                                const Values& values = {});
// No such thing: `kind` as people say it ("bag"), `key` as they wrote it. The
// reason is BAG_NOT_FOUND.
absl::Status NotFound(std::string_view kind, std::string_view key);
absl::Status AlreadyExists(std::string_view reason, std::string_view message,
                           const Values& values = {});
absl::Status PermissionDenied(std::string_view reason, std::string_view message,
                              const Values& values = {});
absl::Status Unauthenticated(std::string_view reason, std::string_view message);
// A concurrent change: read again, then try again.
absl::Status Aborted(std::string_view reason, std::string_view message,
                     const Values& values = {});
// Try again after `retry_delay` (told as RetryInfo).
absl::Status Unavailable(std::string_view reason, std::string_view message,
                         absl::Duration retry_delay);
// The server is being stopped; another replica, or the next start, will do.
absl::Status Draining();
absl::Status Overloaded(std::string_view message, absl::Duration retry_delay);

// One field of the request that breaks a rule.
struct FieldViolation {
  std::string field;  // a path, as `bags[3].net_grams`
  std::string description;
};
// INVALID_ARGUMENT, reason INVALID_FIELDS, with every violation (the first 40
// in full, and a total count, so that the trailers stay small).
absl::Status InvalidFields(const std::vector<FieldViolation>& violations);
absl::Status InvalidField(std::string_view field, std::string_view description);

// The reason in the status's ErrorInfo; empty when it has none.
std::string Reason(const absl::Status& status);

}  // namespace mtp::errors
