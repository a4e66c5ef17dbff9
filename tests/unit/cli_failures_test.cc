#include <string>

#include "catch2/catch.hpp"
#include "cli/failures.h"
#include "common/base/errors.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("exit codes tell scripts what to do") {
  CHECK(ExitCodeOf(absl::OkStatus()) == kDone);
  CHECK(ExitCodeOf(UsageError("x")) == kUsage);
  CHECK(ExitCodeOf(absl::InvalidArgumentError("x")) == kRefused);
  CHECK(ExitCodeOf(absl::FailedPreconditionError("x")) == kRefused);
  CHECK(ExitCodeOf(absl::NotFoundError("x")) == kRefused);
  CHECK(ExitCodeOf(absl::AlreadyExistsError("x")) == kRefused);
  CHECK(ExitCodeOf(absl::AbortedError("x")) == kRefused);
  CHECK(ExitCodeOf(AlreadyTold()) == kRefused);
  CHECK(ExitCodeOf(absl::PermissionDeniedError("x")) == kNotAllowed);
  CHECK(ExitCodeOf(absl::UnauthenticatedError("x")) == kNotAllowed);
  CHECK(ExitCodeOf(absl::UnavailableError("x")) == kUnavailable);
  CHECK(ExitCodeOf(absl::DeadlineExceededError("x")) == kUnavailable);
  CHECK(ExitCodeOf(absl::InternalError("x")) == kFault);
  CHECK(ExitCodeOf(absl::UnimplementedError("x")) == kFault);
}

TEST_CASE("a refusal says reason, values in kilograms, and ids") {
  const std::string text = FailureText(
      errors::FailedPrecondition("INSUFFICIENT_REMAINING", "too little left",
                                 {{"remaining_grams", "12500"}}),
      {.method = "mtp.processing.v1.AllocationService/AllocateToBatch",
       .correlation_id = "c-1",
       .request_id = "r-1"});
  CHECK(Has(text, "refused: too little left\n"));
  CHECK(Has(text, "INSUFFICIENT_REMAINING"));
  CHECK(Has(text, "12500 (12.5 kg)"));
  CHECK(Has(text, "c-1"));
  CHECK(Has(text, "r-1"));
  CHECK_FALSE(Has(text, "--request-id"));
}

TEST_CASE("every violated field is told") {
  const std::string text = FailureText(
      errors::InvalidFields({{"bags[3].net_grams", "must not be negative"},
                             {"location", "must not be empty"}}),
      {});
  CHECK(Has(text, "bags[3].net_grams"));
  CHECK(Has(text, "must not be empty"));
}

TEST_CASE("an unknown outcome says how to repeat safely") {
  const FailedCall call{.target = "127.0.0.1:7401", .request_id = "r-1"};
  CHECK(Has(FailureText(absl::DeadlineExceededError("late"), call),
            "--request-id r-1"));
  CHECK(
      Has(FailureText(absl::UnavailableError("gone"), call), "127.0.0.1:7401"));
}

TEST_CASE("what is too large is not told to be tried again") {
  const auto large = absl::ResourceExhaustedError(
      "SERVER: Received message larger than max (5000000 vs. 4194304)");
  CHECK(ExitCodeOf(large) == kRefused);
  CHECK(Has(FailureText(large, {}), "too large for one call"));
  CHECK_FALSE(Has(FailureText(large, {}), "try again"));
  const auto busy = absl::ResourceExhaustedError("too many calls");
  CHECK(ExitCodeOf(busy) == kUnavailable);
  CHECK(Has(FailureText(busy, {}), "the service is busy; try again"));
}

TEST_CASE("who may is said where the role alone was the reason") {
  const FailedCall call{.access = "SEEDUWA_OPERATOR, SEEDUWA_ADMIN"};
  CHECK(Has(
      FailureText(errors::PermissionDenied("ROLE_NOT_ALLOWED", "no", {}), call),
      "this is for SEEDUWA_OPERATOR"));
  CHECK_FALSE(
      Has(FailureText(errors::PermissionDenied("WRITE_OFF_OVER_LIMIT",
                                               "needs SEEDUWA_ADMIN", {}),
                      call),
          "this is for"));
}

TEST_CASE("programs get the same as JSON") {
  const auto json = nlohmann::json::parse(FailureJson(
      errors::FailedPrecondition("NEEDS_APPROVAL", "beyond what is allowed",
                                 {{"allowed_grams", "5"}}),
      {.correlation_id = "c-1"}));
  CHECK(json["error"]["reason"] == "NEEDS_APPROVAL");
  CHECK(json["error"]["values"]["allowed_grams"] == "5");
  CHECK(json["error"]["correlation_id"] == "c-1");
  CHECK(json["error"]["exit_code"] == 2);
}

}  // namespace
}  // namespace mtp::cli
