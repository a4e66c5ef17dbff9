#include "common/base/errors.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/rpc/error_details.pb.h"

namespace mtp::errors {
namespace {

// Trailers over some 8 KiB do not arrive at all; forty short violations stay
// well below the 6 KiB that the whole of the details may take.
constexpr size_t kViolationsTold = 40;

template <typename Detail>
std::string TypeUrl() {
  return absl::StrCat("type.googleapis.com/",
                      Detail::descriptor()->full_name());
}

template <typename Detail>
void Attach(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

}  // namespace

absl::Status Make(absl::StatusCode code, std::string_view reason,
                  std::string_view message, const Values& values) {
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  for (const auto& [key, value] : values)
    (*info.mutable_metadata())[key] = value;
  Attach(status, info);
  return status;
}

absl::Status FailedPrecondition(std::string_view reason,
                                std::string_view message,
                                const Values& values) {
  absl::Status status =
      Make(absl::StatusCode::kFailedPrecondition, reason, message, values);
  google::rpc::PreconditionFailure failure;
  auto* violation = failure.add_violations();
  violation->set_type(std::string(reason));
  if (!values.empty()) violation->set_subject(values.front().second);
  violation->set_description(std::string(message));
  Attach(status, failure);
  return status;
}

// "blend batch" -> BLEND_BATCH_NOT_FOUND
absl::Status NotFound(std::string_view kind, std::string_view key) {
  const std::string reason =
      absl::StrCat(absl::StrReplaceAll(absl::AsciiStrToUpper(std::string(kind)),
                                       {{" ", "_"}}),
                   "_NOT_FOUND");
  absl::Status status = Make(
      absl::StatusCode::kNotFound, reason,
      absl::StrCat("there is no ", std::string(kind), " ", std::string(key)),
      {{"kind", std::string(kind)}, {"key", std::string(key)}});
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(std::string(kind));
  resource.set_resource_name(std::string(key));
  Attach(status, resource);
  return status;
}

absl::Status AlreadyExists(std::string_view reason, std::string_view message,
                           const Values& values) {
  return Make(absl::StatusCode::kAlreadyExists, reason, message, values);
}

absl::Status PermissionDenied(std::string_view reason, std::string_view message,
                              const Values& values) {
  return Make(absl::StatusCode::kPermissionDenied, reason, message, values);
}

absl::Status Unauthenticated(std::string_view reason,
                             std::string_view message) {
  return Make(absl::StatusCode::kUnauthenticated, reason, message);
}

absl::Status Aborted(std::string_view reason, std::string_view message,
                     const Values& values) {
  return Make(absl::StatusCode::kAborted, reason, message, values);
}

namespace {

absl::Status Retryable(absl::StatusCode code, std::string_view reason,
                       std::string_view message, absl::Duration retry_delay) {
  absl::Status status = Make(code, reason, message);
  google::rpc::RetryInfo retry;
  const int64_t nanos = absl::ToInt64Nanoseconds(retry_delay);
  retry.mutable_retry_delay()->set_seconds(nanos / 1'000'000'000);
  retry.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(nanos % 1'000'000'000));
  Attach(status, retry);
  return status;
}

}  // namespace

absl::Status Unavailable(std::string_view reason, std::string_view message,
                         absl::Duration retry_delay) {
  return Retryable(absl::StatusCode::kUnavailable, reason, message,
                   retry_delay);
}

absl::Status Draining() {
  return Unavailable("DRAINING", "the server is shutting down",
                     absl::Seconds(1));
}

absl::Status Overloaded(std::string_view message, absl::Duration retry_delay) {
  return Retryable(absl::StatusCode::kResourceExhausted, "OVERLOADED", message,
                   retry_delay);
}

absl::Status InvalidFields(const std::vector<FieldViolation>& violations) {
  std::string message = absl::StrCat(violations.front().field, " ",
                                     violations.front().description);
  if (violations.size() > 1) {
    absl::StrAppend(&message, " (and ", violations.size() - 1, " more)");
  }
  absl::Status status =
      Make(absl::StatusCode::kInvalidArgument, "INVALID_FIELDS", message,
           {{"violations", absl::StrCat(violations.size())}});
  google::rpc::BadRequest bad_request;
  const size_t told = std::min(violations.size(), kViolationsTold);
  for (size_t i = 0; i < told; ++i) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(violations[i].field);
    violation->set_description(violations[i].description);
  }
  Attach(status, bad_request);
  return status;
}

absl::Status InvalidField(std::string_view field,
                          std::string_view description) {
  return InvalidFields({{std::string(field), std::string(description)}});
}

std::string Reason(const absl::Status& status) {
  const auto payload = status.GetPayload(TypeUrl<google::rpc::ErrorInfo>());
  google::rpc::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload)))
    return "";
  return info.reason();
}

}  // namespace mtp::errors
