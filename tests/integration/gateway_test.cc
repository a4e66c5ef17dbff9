#include <catch2/catch.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/errors.h"
#include "common/rpc/pipeline.h"
#include "google/rpc/error_details.pb.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/trace.pb.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using google::protobuf::MethodDescriptor;
using options::v1::ROLE_GRANDPASS_ADMIN;
using options::v1::ROLE_GRANDPASS_DEV_MACHINE;
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;
using options::v1::ROLE_TRADER_OFFICER;

constexpr char kCreateLocation[] =
    "mtp.processing.v1.LocationService/CreateLocation";
constexpr char kListLocations[] =
    "mtp.processing.v1.LocationService/ListLocations";
constexpr char kListPlans[] = "mtp.order.v1.PlanService/ListPlans";

Side Other(Side side) {
  return side == SIDE_ORDER ? SIDE_PROCESSING : SIDE_ORDER;
}

// The methods of the side's own package.
std::vector<const MethodDescriptor*> OwnMethods(Side side) {
  std::vector<const MethodDescriptor*> methods;
  for (const auto* service :
       rpc::LinkedServices({"mtp." + NameOf(side) + ".v1"})) {
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(service->method(i));
    }
  }
  return methods;
}

std::string Name(const MethodDescriptor& method) {
  return absl::StrCat(method.service()->full_name(), "/", method.name());
}

// An error with all that a client sees of it.
std::string Whole(const absl::Status& status) {
  std::set<std::string> details;  // they come in no order
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& bytes) {
    // Its values are in no order either.
    google::rpc::ErrorInfo info;
    if (absl::EndsWith(url, "ErrorInfo")) {
      REQUIRE(info.ParseFromString(std::string(bytes)));
      details.insert(info.ShortDebugString());
    } else {
      details.insert(absl::StrCat(url, " ", std::string(bytes)));
    }
  });
  return absl::StrCat(absl::StatusCodeToString(status.code()), " ",
                      std::string(status.message()), "\n",
                      absl::StrJoin(details, "\n"));
}

// What both ways to a method answer to the same request.
void RequireSame(const Client& direct, const Client& passed_on,
                 const std::string& method, const std::string& request) {
  const Reply expected = direct.Send(method, {request});
  const Reply found = passed_on.Send(method, {request});
  CHECK(Whole(found.status) == Whole(expected.status));
  CHECK(found.messages == expected.messages);
  CHECK(found.Trailer("x-correlation-id") ==
        expected.Trailer("x-correlation-id"));
}

TEST_CASE("each side answers the other's methods as the other does, to all") {
  Stack& stack = Stack::Shared();
  const auto with_id = [](const Client& client) {
    return client.With("x-correlation-id", "one-id-for-both");
  };
  for (const Side owner : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (const MethodDescriptor* method : OwnMethods(owner)) {
      // What a wrong password does is counted.
      if (method->service()->name() == "SessionService") continue;
      for (const Role role : AllRoles()) {
        INFO(options::v1::Role_Name(role) << " calls " << Name(*method));
        // Cut short: no request of any method.
        RequireSame(with_id(stack.As(role, owner)),
                    with_id(stack.As(role, Other(owner))), Name(*method),
                    "\x0a");
      }
      INFO("nobody calls " << Name(*method));
      RequireSame(with_id(stack.Stranger(owner)),
                  with_id(stack.Stranger(Other(owner))), Name(*method), "");
    }
  }
}

TEST_CASE("what the other side does not have is told here as there") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const absl::Status status =
        stack.As(ROLE_SEEDUWA_OPERATOR, side)
            .Send(absl::StrCat("mtp.", NameOf(Other(side)),
                               ".v1.NoSuchService/NoSuchMethod"),
                  {""})
            .status;
    CHECK(status.code() == absl::StatusCode::kUnimplemented);
  }
}

TEST_CASE("on a call that is passed on, the person's token counts alone") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const std::string method =
        side == SIDE_ORDER ? kListLocations : std::string(kListPlans);
    // Without a token there is the certificate of the side that passes it on,
    // and of whoever asked it to.
    CHECK(errors::Reason(stack.Peer(side).Send(method, {""}).status) ==
          "TOKEN_MISSING");
    CHECK(errors::Reason(stack.Stranger(side).Send(method, {""}).status) ==
          "TOKEN_MISSING");
    // Nor does the mark of such a call give anybody anything.
    CHECK(errors::Reason(stack.Stranger(Other(side))
                             .With("mtp-forwarded", "1")
                             .Send(method, {""})
                             .status) == "TOKEN_MISSING");
  }
  const Reply twice = stack.As(ROLE_SEEDUWA_OPERATOR, SIDE_ORDER)
                          .With("mtp-forwarded", "1")
                          .Send(kListLocations, {""});
  CHECK(errors::Reason(twice.status) == "FORWARDED_TWICE");
}

TEST_CASE("a change made through the other side is the same change") {
  Stack& stack = Stack::Shared();
  processing::v1::CreateLocationRequest request;
  request.set_request_id(NewRequestId());
  request.mutable_location()->set_name("Bay " + request.request_id());
  const auto as = [&](Side side) {
    return stack.As(ROLE_SEEDUWA_ADMIN, side)
        .With("x-correlation-id", "gateway-" + request.request_id());
  };
  const Reply passed_on = as(SIDE_ORDER).Send(kCreateLocation, request);
  INFO(passed_on.status);
  REQUIRE(passed_on.status.ok());
  CHECK(as(SIDE_PROCESSING).Send(kCreateLocation, request).messages ==
        passed_on.messages);
  CHECK(as(SIDE_ORDER).Send(kCreateLocation, request).messages ==
        passed_on.messages);
  const auto audited = stack.Database(SIDE_PROCESSING)
                           .Query(
                               "SELECT username, role, remote_address FROM "
                               "audit.entry WHERE correlation_id = $1",
                               {"gateway-" + request.request_id()});
  REQUIRE(audited.size() == 1);
  CHECK(audited[0][1] == "SEEDUWA_ADMIN");
  CHECK(audited[0][2] == "127.0.0.1");
}

TEST_CASE("the address that a call was passed on for is the peer's to say") {
  Stack& stack = Stack::Shared();
  const auto address_of = [&](const Client& client) {
    processing::v1::CreateLocationRequest request;
    request.set_request_id(NewRequestId());
    request.mutable_location()->set_name("Bay " + request.request_id());
    const Reply reply = client.With("mtp-forwarded", "1")
                            .With("mtp-forwarded-for", "192.0.2.7")
                            .Send(kCreateLocation, request);
    REQUIRE(reply.status.ok());
    return stack.Database(SIDE_PROCESSING)
        .Text("SELECT remote_address FROM audit.entry WHERE request_id = $1",
              {request.request_id()});
  };
  const std::string token =
      "Bearer " + Identities::Shared().Token(ROLE_SEEDUWA_ADMIN);
  CHECK(address_of(stack.Stranger(SIDE_PROCESSING, token)) == "127.0.0.1");
  CHECK(address_of(stack.Peer(SIDE_PROCESSING).With("authorization", token)) ==
        "192.0.2.7");
}

TEST_CASE("streams are passed on, either way") {
  Stack& stack = Stack::Shared();
  const std::string blend = "GW" + NewRequestId().substr(24);
  std::vector<std::string> messages;
  for (int i = 0; i < 3; ++i) {
    order::v1::ImportPlansRequest part;
    if (i == 0) {
      part.set_file_name("gateway.csv");
      part.set_file_digest(FileDigest(blend));
    }
    order::v1::PlanRow* row = part.add_rows();
    row->set_line_number(2 + i);
    row->set_order_code(absl::StrCat(blend, "-", i));
    row->set_item_code(absl::StrCat(blend, i));
    row->set_requirement("100");
    row->set_product_name("Passed on");
    row->set_plan_start("2026-11-01");
    row->set_plan_end("2026-11-30");
    messages.push_back(part.SerializeAsString());
  }
  const Client admin = stack.As(ROLE_GRANDPASS_ADMIN, SIDE_PROCESSING);
  const Reply imported =
      admin.Send("mtp.order.v1.PlanService/ImportPlans", messages);
  INFO(imported.status);
  REQUIRE(imported.status.ok());
  order::v1::ImportPlansResponse response;
  REQUIRE(response.ParseFromString(imported.bytes()));
  CHECK(response.stored());
  CHECK(response.row_count() == 3);
  // None at all is passed on too.
  CHECK(Whole(admin
                  .Send("mtp.order.v1.PlanService/ImportPlans",
                        std::vector<std::string>())
                  .status) ==
        Whole(stack.As(ROLE_GRANDPASS_ADMIN, SIDE_ORDER)
                  .Send("mtp.order.v1.PlanService/ImportPlans",
                        std::vector<std::string>())
                  .status));

  Story story(stack);
  story.DoSteps(1, 3);
  processing::v1::TraceRequest trace;
  trace.mutable_start()->set_item_id(story.tealine_id);
  trace.set_direction(processing::v1::TRACE_DIRECTION_FORWARD);
  const std::string method = "mtp.processing.v1.TraceService/Trace";
  const Reply passed_on =
      stack.As(ROLE_TRADER_OFFICER, SIDE_ORDER).Send(method, trace);
  INFO(passed_on.status);
  REQUIRE(passed_on.status.ok());
  const Reply direct =
      stack.As(ROLE_TRADER_OFFICER, SIDE_PROCESSING).Send(method, trace);
  const auto nodes = [](const Reply& reply) {
    processing::v1::TraceResponse whole;
    for (const std::string& message : reply.messages)
      REQUIRE(whole.MergeFromString(message));
    std::string text;
    for (const auto& node : whole.nodes()) text += node.node_id() + "\n";
    return text;
  };
  CHECK_FALSE(nodes(passed_on).empty());
  CHECK(nodes(passed_on) == nodes(direct));
}

TEST_CASE("with the peer away its methods are refused at once, and come back") {
  Stack& stack = Stack::Shared("stopped");
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    if (!stack.Running(side)) stack.Start(side);
  }
  const Client officer = stack.As(ROLE_GRANDPASS_OFFICER, SIDE_ORDER);
  REQUIRE(Eventually(
      [&] { return officer.Send(kListLocations, {""}).status.ok(); }));
  stack.Kill(SIDE_PROCESSING);
  for (int i = 0; i < 20; ++i) {
    const absl::Status status = officer.Send(kListLocations, {""}).status;
    CHECK(status.code() == absl::StatusCode::kUnavailable);
    CHECK(errors::Reason(status) == "PEER_UNREACHABLE");
    CHECK(status.GetPayload("type.googleapis.com/google.rpc.RetryInfo")
              .has_value());
    CHECK(officer.Send(kListPlans, {""}).status.ok());
  }
  stack.Start(SIDE_PROCESSING);
  CHECK(Eventually(
      [&] { return officer.Send(kListLocations, {""}).status.ok(); }));
}

}  // namespace
}  // namespace mtp::tests
