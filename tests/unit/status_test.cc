#include "common/rpc/status.h"

#include <catch2/catch.hpp>

#include "common/base/errors.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace mtp::rpc {
namespace {

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  REQUIRE(details.ParseFromString(status.error_details()));
  return details;
}

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::ErrorInfo info;
  REQUIRE(DetailsOf(status).details(0).UnpackTo(&info));
  return info;
}

TEST_CASE("an error's reason, values and details arrive as they were sent") {
  const absl::Status sent = errors::FailedPrecondition("INSUFFICIENT_REMAINING",
                                                       "the bag has 10 g left",
                                                       {{"left_grams", "10"}});
  const grpc::Status wire = ToGrpc(sent, "mtp.processing", "c-1");
  REQUIRE(wire.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  REQUIRE(InfoOf(wire).domain() == "mtp.processing");

  const absl::Status received = FromGrpc(wire);
  REQUIRE(received.code() == sent.code());
  REQUIRE(received.message() == "the bag has 10 g left");
  REQUIRE(errors::Reason(received) == "INSUFFICIENT_REMAINING");
  REQUIRE(received.GetPayload(
      "type.googleapis.com/google.rpc.PreconditionFailure"));
}

TEST_CASE("an error passed on from the peer keeps the peer's domain") {
  const grpc::Status from_peer =
      ToGrpc(errors::NotFound("bag", "b"), "mtp.processing", "c-1");
  const grpc::Status passed_on =
      ToGrpc(FromGrpc(from_peer), "mtp.order", "c-1");
  REQUIRE(InfoOf(passed_on).domain() == "mtp.processing");
}

TEST_CASE("an internal error tells a client the correlation id and no more") {
  absl::Status sent =
      errors::Make(absl::StatusCode::kInternal, "X", "table bag does not exist",
                   {{"sql", "SELECT"}});
  const grpc::Status wire = ToGrpc(sent, "mtp.order", "c-42");
  REQUIRE(wire.error_code() == grpc::StatusCode::INTERNAL);
  REQUIRE(wire.error_message() == "internal error, correlation id c-42");
  REQUIRE(wire.error_details().find("table bag") == std::string::npos);
  REQUIRE(wire.error_details().find("SELECT") == std::string::npos);
}

TEST_CASE("details never outgrow the trailers and say what was left out") {
  std::vector<errors::FieldViolation> violations;
  for (int i = 0; i < 1000; ++i) {
    violations.push_back({"rows[" + std::to_string(i) + "].product_name",
                          std::string(200, 'x')});
  }
  const grpc::Status wire =
      ToGrpc(errors::InvalidFields(violations), "mtp.order", "c-1");
  REQUIRE(wire.error_details().size() <= 4608);
  const google::rpc::ErrorInfo info = InfoOf(wire);
  REQUIRE(info.metadata().at("violations") == "1000");
  REQUIRE(info.metadata().count("details_omitted") == 1);
  google::rpc::BadRequest bad_request;
  REQUIRE(DetailsOf(wire).details(1).UnpackTo(&bad_request));
  REQUIRE(bad_request.field_violations_size() > 5);
  REQUIRE(bad_request.field_violations(0).field() == "rows[0].product_name");
}

TEST_CASE("of many hindrances as many are told as the trailers hold") {
  google::rpc::PreconditionFailure failure;
  for (int i = 0; i < 40; ++i) {
    auto* violation = failure.add_violations();
    violation->set_type("HERB_SECTION_RULE");
    violation->set_subject("bag " + std::to_string(i));
    violation->set_description(std::string(200, 'x'));
  }
  absl::Status sent = errors::FailedPrecondition("HERB_SECTION_RULE", "no");
  sent.SetPayload("type.googleapis.com/google.rpc.PreconditionFailure",
                  absl::Cord(failure.SerializeAsString()));
  const grpc::Status wire = ToGrpc(sent, "mtp.processing", "c-1");
  REQUIRE(wire.error_details().size() <= 4608);
  REQUIRE(InfoOf(wire).metadata().count("details_omitted") == 1);
  google::rpc::PreconditionFailure told;
  REQUIRE(DetailsOf(wire).details(1).UnpackTo(&told));
  REQUIRE(told.violations_size() > 10);
  REQUIRE(told.violations(0).subject() == "bag 0");
}

TEST_CASE("a long message is cut between characters") {
  std::string message;
  for (int i = 0; i < 600; ++i) message += "\xc3\xa9";
  const grpc::Status wire =
      ToGrpc(errors::Aborted("X", message), "mtp.order", "c-1");
  REQUIRE(wire.error_message().size() <= 480);
  REQUIRE(DetailsOf(wire).message() == wire.error_message());
}

TEST_CASE("only what the transport itself says counts as a lost peer") {
  REQUIRE(IsTransportFailure(absl::UnavailableError("connection refused")));
  REQUIRE(IsTransportFailure(absl::DeadlineExceededError("")));
  REQUIRE_FALSE(IsTransportFailure(absl::OkStatus()));
  REQUIRE_FALSE(IsTransportFailure(absl::InternalError("")));
  REQUIRE_FALSE(IsTransportFailure(
      errors::Unavailable("DRAINING", "later", absl::Seconds(1))));
}

}  // namespace
}  // namespace mtp::rpc
