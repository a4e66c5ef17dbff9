#include "cli/failures.h"

#include <array>
#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/table.h"
#include "cli/weights.h"
#include "common/rpc/status.h"
#include "google/rpc/error_details.pb.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

constexpr char kUsageUrl[] = "mtpctl/usage";
constexpr char kToldUrl[] = "mtpctl/told";

absl::Status Marked(absl::StatusCode code, std::string_view message,
                    const char* url) {
  absl::Status status(code, absl::string_view(message.data(), message.size()));
  status.SetPayload(url, absl::Cord("1"));
  return status;
}

template <typename Detail>
Detail DetailOf(const absl::Status& status) {
  Detail detail;
  const auto bytes = status.GetPayload(
      absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  if (bytes.has_value()) detail.ParseFromString(std::string(*bytes));
  return detail;
}

std::string Kind(const absl::Status& status) {
  switch (ExitCodeOf(status)) {
    case kDone:
      return "done";
    case kUsage:
      return "mtpctl";
    case kRefused:
      return "refused";
    case kNotAllowed:
      return "not allowed";
    case kUnavailable:
      return "not answered";
    case kFault:
      break;
  }
  return status.code() == absl::StatusCode::kUnimplemented ? "not there"
                                                           : "fault";
}

// Whether the call may have been done although it failed.
bool OutcomeUnknown(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

// gRPC's own word, of a call that no repetition makes smaller.
bool IsTooLarge(const absl::Status& status) {
  return absl::IsResourceExhausted(status) &&
         absl::StrContains(status.message(), "larger than max");
}

struct Hint {
  std::string_view reason;
  std::string_view text;
};
constexpr std::array kHints = {
    Hint{"NEEDS_APPROVAL", "--special asks a supervisor's approval"},
    Hint{"REQUEST_ID_REUSED",
         "a new call needs a new --request-id, or none: one is made"},
    Hint{"ETAG_MISMATCH", "read it again: somebody changed it meanwhile"},
    Hint{"TOKEN_EXPIRED", "get a new token and give it with --token"},
    Hint{"TOKEN_REVOKED", "sign in again: mtpctl sign-in USERNAME"},
    Hint{"SESSION_ENDED", "mtpctl sign-in USERNAME opens another session"},
    Hint{"NOT_SIGNED_IN", "mtpctl sign-in USERNAME"},
    Hint{"PASSWORD_CHANGE_NEEDED", "mtpctl change-password"},
    Hint{"SIGN_IN_REFUSED", ""},
    Hint{"TOO_MANY_ATTEMPTS",
         "wait, or ask an administrator: mtpctl user enable USER"},
    Hint{"TOKEN_KEY_UNKNOWN",
         "its key is gone, or the service has not heard of it yet: try again, "
         "or "
         "sign in again: mtpctl sign-in USERNAME"},
    Hint{"PAGE_TOKEN_INVALID",
         "a page token holds for the filter and order it was given for"},
    Hint{"BATCH_NOT_ALLOWED", "the trader has to allow the batch first"},
    Hint{"IMPORT_TOO_LARGE", "give it in several files"},
    Hint{"DEAD_LETTER_NOT_FOUND",
         "each side has its own, and --side says whose: `mtpctl sync "
         "dead-letters list` lists those of both"},
    Hint{"BREAKER_NOT_FOUND", "`mtpctl sync breaker` names them"},
    Hint{"PEER_UNREACHABLE",
         "the other side does not answer; `mtpctl sync "
         "status` shows how the two stand"},
};

std::string HintFor(const absl::Status& status, const std::string& reason,
                    const FailedCall& call) {
  for (const Hint& hint : kHints) {
    if (hint.reason == reason) return std::string(hint.text);
  }
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
      // Other reasons say themselves who may, and when.
      return call.access.empty() || reason != "ROLE_NOT_ALLOWED"
                 ? ""
                 : absl::StrCat("this is for ", call.access);
    case absl::StatusCode::kUnauthenticated:
      return "say who asks: mtpctl sign-in, --token, MTP_TOKEN, or on the "
             "local "
             "stack --as ROLE";
    case absl::StatusCode::kUnimplemented:
      return "the service has another version than this program, or cannot do "
             "this yet; `mtpctl version` tells";
    case absl::StatusCode::kUnavailable:
      if (absl::StrContains(status.message(), "certificate verify failed")) {
        return absl::StrCat("another authority signed the certificate of ",
                            call.target, ": --ca names the one to trust");
      }
      return rpc::IsTransportFailure(status) && !call.target.empty()
                 ? absl::StrCat("is the service at ", call.target,
                                " up? Locally, `make up` starts it")
                 : "try again";
    case absl::StatusCode::kResourceExhausted:
      return IsTooLarge(status) ? "it is too large for one call: ask for less, "
                                  "or send it in parts"
                                : "the service is busy; try again";
    default:
      return "";
  }
}

// Values as people read them: a weight also in kilograms.
std::string ValueText(const std::string& key, const std::string& value) {
  int64_t grams = 0;
  if ((key == "grams" || absl::EndsWith(key, "_grams")) &&
      absl::SimpleAtoi(value, &grams)) {
    return absl::StrCat(value, " (", Kilograms(grams), ")");
  }
  return value;
}

std::string RepeatLine(const absl::Status& status, const FailedCall& call) {
  if (call.request_id.empty()) return "";
  return OutcomeUnknown(status)
             ? absl::StrCat(
                   "It may have been done. Repeat it safely with "
                   "--request-id ",
                   call.request_id, "\n")
             : "";
}

}  // namespace

const char kExitCodesHelp[] =
    "Exit codes: 0 done; 1 the command line or a file is wrong; 2 refused by a "
    "rule; 3 not allowed; 4 not answered, try again; 5 a fault of a program.";

absl::Status UsageError(std::string_view message) {
  return Marked(absl::StatusCode::kInvalidArgument, message, kUsageUrl);
}

absl::Status AlreadyTold() {
  return Marked(absl::StatusCode::kFailedPrecondition, "", kToldUrl);
}

bool IsAlreadyTold(const absl::Status& status) {
  return status.GetPayload(kToldUrl).has_value();
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.GetPayload(kUsageUrl).has_value()) return kUsage;
  if (IsTooLarge(status) ||
      DetailOf<google::rpc::ErrorInfo>(status).reason() == "IMPORT_TOO_LARGE") {
    return kRefused;
  }
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kDone;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
      return kRefused;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kNotAllowed;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return kUnavailable;
    default:
      return kFault;
  }
}

std::string FailureText(const absl::Status& status, const FailedCall& call) {
  std::string out =
      absl::StrCat(Kind(status), ": ",
                   Printable(std::string_view(status.message().data(),
                                              status.message().size())),
                   "\n");
  if (ExitCodeOf(status) == kUsage) return out;

  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  const auto bad_request = DetailOf<google::rpc::BadRequest>(status);
  const auto failure = DetailOf<google::rpc::PreconditionFailure>(status);
  const auto retry = DetailOf<google::rpc::RetryInfo>(status);
  Table faults;
  for (const auto& violation : bad_request.field_violations()) {
    faults.Row({violation.field(), violation.description()});
  }
  // A single one says what the message says.
  if (failure.violations_size() > 1) {
    for (const auto& violation : failure.violations()) {
      faults.Row({violation.type(), violation.description()});
    }
  }
  out += faults.Text("  ");

  Table facts;
  facts.Row({"code", absl::StatusCodeToString(status.code())});
  if (!info.reason().empty()) {
    facts.Row({"reason",
               info.domain().empty()
                   ? info.reason()
                   : absl::StrCat(info.reason(), " (", info.domain(), ")")});
  }
  // In the order of the alphabet, not of a hash.
  for (const auto& [key, value] : std::map<std::string, std::string>(
           info.metadata().begin(), info.metadata().end())) {
    facts.Row({key, ValueText(key, value)});
  }
  if (!call.method.empty()) facts.Row({"method", call.method});
  if (!call.role.empty()) facts.Row({"asked as", call.role});
  if (!call.correlation_id.empty()) {
    facts.Row({"correlation id", call.correlation_id});
  }
  if (!call.request_id.empty()) facts.Row({"request id", call.request_id});
  if (retry.has_retry_delay()) {
    facts.Row(
        {"try again in",
         absl::FormatDuration(absl::Seconds(retry.retry_delay().seconds()) +
                              absl::Nanoseconds(retry.retry_delay().nanos()))});
  }
  out += facts.Text("  ");
  if (const std::string hint = HintFor(status, info.reason(), call);
      !hint.empty()) {
    absl::StrAppend(&out, "Hint: ", hint, "\n");
  }
  return out + RepeatLine(status, call);
}

std::string FailureJson(const absl::Status& status, const FailedCall& call) {
  using nlohmann::json;
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  json error = {{"code", absl::StatusCodeToString(status.code())},
                {"message", std::string(status.message())},
                {"exit_code", static_cast<int>(ExitCodeOf(status))}};
  const auto put = [&error](const char* key, const std::string& value) {
    if (!value.empty()) error[key] = value;
  };
  put("reason", info.reason());
  put("domain", info.domain());
  put("method", call.method);
  put("role", call.role);
  put("correlation_id", call.correlation_id);
  put("request_id", call.request_id);
  for (const auto& [key, value] : info.metadata()) {
    error["values"][key] = value;
  }
  const auto bad_request = DetailOf<google::rpc::BadRequest>(status);
  for (const auto& violation : bad_request.field_violations()) {
    error["field_violations"].push_back(
        {{"field", violation.field()},
         {"description", violation.description()}});
  }
  const auto precondition = DetailOf<google::rpc::PreconditionFailure>(status);
  for (const auto& violation : precondition.violations()) {
    error["violations"].push_back({{"type", violation.type()},
                                   {"subject", violation.subject()},
                                   {"description", violation.description()}});
  }
  const auto retry = DetailOf<google::rpc::RetryInfo>(status);
  if (retry.has_retry_delay()) {
    error["retry_delay_ms"] = retry.retry_delay().seconds() * 1000 +
                              retry.retry_delay().nanos() / 1'000'000;
  }
  return json{{"error", error}}.dump(2, ' ', false,
                                     json::error_handler_t::replace) +
         "\n";
}

absl::Status StatusOf(const google::rpc::Status& error) {
  return rpc::FromGrpc(grpc::Status(static_cast<grpc::StatusCode>(error.code()),
                                    error.message(),
                                    error.SerializeAsString()));
}

std::string OneLine(const absl::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  return absl::StrCat(info.reason().empty()
                          ? absl::StatusCodeToString(status.code())
                          : info.reason(),
                      ": ", status.message());
}

}  // namespace mtp::cli
