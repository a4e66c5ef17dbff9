#include <catch2/catch.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/rpc/base64url.h"
#include "common/rpc/keys.h"
#include "common/rpc/pipeline.h"
#include "common/rpc/token.h"
#include "mtp/options/v1/options.pb.h"
#include "mtp/processing/v1/dashboards.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "tests/support/stack.h"

namespace mtp::tests {
namespace {

using google::protobuf::MethodDescriptor;
using options::v1::Access;
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

constexpr char kListLocations[] =
    "mtp.processing.v1.LocationService/ListLocations";

std::vector<const MethodDescriptor*> MethodsOf(Side side) {
  std::vector<const MethodDescriptor*> methods;
  for (const auto* service :
       rpc::LinkedServices({"mtp." + NameOf(side) + ".v1", "mtp.sync.v1",
                            "mtp.ops.v1", "mtp.audit.v1"})) {
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(service->method(i));
    }
  }
  return methods;
}

std::string Name(const MethodDescriptor& method) {
  return absl::StrCat(method.service()->full_name(), "/", method.name());
}

const Access& AccessTo(const MethodDescriptor& method) {
  return method.options().GetExtension(options::v1::access);
}

bool Allows(const Access& access, Role role) {
  if (access.signed_in() || access.everyone()) return true;
  return std::find(access.roles().begin(), access.roles().end(), role) !=
         access.roles().end();
}

// What the pipeline says of somebody who may not come in; empty when it let
// the (empty) request through, whatever became of it then.
std::string TurnedAway(const Client& client, const MethodDescriptor& method) {
  static const std::set<std::string> kReasons = {
      "TOKEN_MISSING", "CERTIFICATE_MISSING", "SERVICES_ONLY",
      "PEOPLE_ONLY",   "ROLE_NOT_ALLOWED",    "ACCESS_UNDECLARED"};
  const absl::Status status = client.Send(Name(method), {""}).status;
  const std::string reason = errors::Reason(status);
  if (kReasons.contains(reason)) {
    const bool missing = reason.ends_with("_MISSING");
    CHECK(status.code() == (missing ? absl::StatusCode::kUnauthenticated
                                    : absl::StatusCode::kPermissionDenied));
    return reason;
  }
  CHECK(status.code() != absl::StatusCode::kUnauthenticated);
  CHECK(status.code() != absl::StatusCode::kPermissionDenied);
  return "";
}

TEST_CASE("every method declares who may call it") {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (const MethodDescriptor* method : MethodsOf(side)) {
      INFO(Name(*method));
      CHECK(rpc::DeclaresAccess(method));
    }
  }
}

TEST_CASE("each role gets in where the contract says so, and nowhere else") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (const Role role : AllRoles()) {
      const Client person = stack.As(role, side);
      for (const MethodDescriptor* method : MethodsOf(side)) {
        INFO(options::v1::Role_Name(role) << " calls " << Name(*method));
        const Access& access = AccessTo(*method);
        if (access.peer_service()) {
          CHECK(TurnedAway(person, *method) == "SERVICES_ONLY");
        } else if (Allows(access, role)) {
          CHECK(TurnedAway(person, *method) == "");
        } else {
          CHECK(TurnedAway(person, *method) == "ROLE_NOT_ALLOWED");
        }
      }
    }
  }
}

TEST_CASE("without a token only what is public answers") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const Client stranger = stack.Stranger(side);
    for (const MethodDescriptor* method : MethodsOf(side)) {
      INFO(Name(*method));
      const Access& access = AccessTo(*method);
      CHECK(TurnedAway(stranger, *method) == (access.everyone() ? ""
                                              : access.peer_service()
                                                  ? "CERTIFICATE_MISSING"
                                                  : "TOKEN_MISSING"));
    }
  }
}

TEST_CASE("a certificate of the peer opens the sync API alone") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const Client peer = stack.Peer(side);
    for (const MethodDescriptor* method : MethodsOf(side)) {
      INFO(Name(*method));
      const Access& access = AccessTo(*method);
      CHECK(TurnedAway(peer, *method) ==
            (access.everyone() || access.peer_service() ? "" : "PEOPLE_ONLY"));
    }
  }
}

TEST_CASE("a service's own certificate does not make it its peer") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(stack.Certified(side, side)
              .Send("mtp.sync.v1.SyncService/ApplySeals", {""})
              .status.code() == absl::StatusCode::kUnauthenticated);
  }
}

TEST_CASE("a token that was tampered with opens nothing") {
  Stack& stack = Stack::Shared();
  const Identities& identities = Identities::Shared();
  const rpc::TokenRequest good{
      .subject = Identities::Subject(ROLE_SEEDUWA_ADMIN),
      .username = "kamala",
      .role = ROLE_SEEDUWA_ADMIN,
      .issued_at = absl::Now()};
  const auto sign = [&](const rpc::TokenRequest& request) {
    return rpc::SignToken(request, identities.signing_key(),
                          identities.key_id())
        .value();
  };
  const auto answer = [&](const std::string& authorization) {
    return stack.Stranger(SIDE_PROCESSING, authorization)
        .Send(kListLocations, {""})
        .status;
  };
  REQUIRE(answer("Bearer " + sign(good)).ok());

  rpc::TokenRequest expired = good;
  expired.issued_at = absl::Now() - absl::Hours(2);
  rpc::TokenRequest elsewhere = good;
  elsewhere.audience = "another-system";
  rpc::TokenRequest foreign = good;
  foreign.issuer = "somebody";
  rpc::TokenRequest nobody = good;
  nobody.subject = "admin";
  const std::string token = sign(good);
  const std::string claims =
      token.substr(token.find('.'), token.rfind('.') - token.find('.'));
  const std::string signature = token.substr(token.rfind('.'));
  const auto header = [](const std::string& json) {
    return rpc::Base64UrlEncode(json);
  };

  for (const std::string& bad : std::vector<std::string>{
           sign(expired), sign(elsewhere), sign(foreign), sign(nobody),
           rpc::SignToken(good, rpc::MakeEs256Key(), identities.key_id())
               .value(),
           rpc::SignToken(good, identities.signing_key(), "another").value(),
           header(R"({"alg":"none","typ":"JWT"})") + claims + ".",
           header(R"({"alg":"HS256","typ":"JWT","kid":")" +
                  identities.key_id() + R"("})") +
               claims + signature,
           token.substr(0, token.size() - 4) + "AAAA", token + "A", "a.b.c",
           "..", "", std::string(5'000, 'a')}) {
    INFO(bad.substr(0, 400));
    CHECK(answer("Bearer " + bad).code() == absl::StatusCode::kUnauthenticated);
  }
  CHECK(answer("Basic YWRtaW46YWRtaW4=").code() ==
        absl::StatusCode::kUnauthenticated);
}

TEST_CASE(
    "a method of a later release answers UNIMPLEMENTED to who may call it") {
  Stack& stack = Stack::Shared();
  const std::string method = "mtp.processing.v1.DashboardService/GetOverview";
  const absl::Status status = stack.As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING)
                                  .Send(method, {""})
                                  .status;
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK(errors::Reason(status) == "NOT_IN_THIS_RELEASE");
  CHECK(stack.Stranger(SIDE_PROCESSING).Send(method, {""}).status.code() ==
        absl::StatusCode::kUnauthenticated);
}

TEST_CASE("a method that no contract has is unimplemented") {
  Stack& stack = Stack::Shared();
  const auto unknown = [&](Side side, const char* method) {
    const absl::Status status =
        stack.As(ROLE_SEEDUWA_OPERATOR, side).Send(method, {""}).status;
    CHECK(status.code() == absl::StatusCode::kUnimplemented);
    CHECK(status.message() == absl::StrCat("this server has no method /",
                                           method,
                                           "; it may be of another version, or "
                                           "the other side's, with no way "
                                           "there"));
  };
  unknown(SIDE_PROCESSING, "mtp.processing.v1.BagService/EatBag");
  unknown(SIDE_PROCESSING, "mtp.order.v1.PlanService/EatPlan");
  unknown(SIDE_ORDER, "mtp.ops.v2.OperationsService/GetVersion");
}

TEST_CASE("health is told without a token, at both ports") {
  Stack& stack = Stack::Shared();
  const std::string serving = "\x08\x01";
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(stack.Stranger(side)
              .Send("grpc.health.v1.Health/Check", {""})
              .bytes() == serving);
    const std::string service = side == SIDE_ORDER
                                    ? "mtp.order.v1.RequestService"
                                    : "mtp.processing.v1.BagService";
    const std::string asked =
        std::string("\x0a") + static_cast<char>(service.size()) + service;
    CHECK(stack.Probe(side)
              .Send("grpc.health.v1.Health/Check", {asked})
              .bytes() == serving);
    CHECK(stack.Probe(side)
              .Send("grpc.health.v1.Health/Check", {"\x0a\x04none"})
              .status.code() == absl::StatusCode::kNotFound);
    // Nothing else is there.
    CHECK(stack.Probe(side).Send(kListLocations, {""}).status.code() ==
          absl::StatusCode::kUnimplemented);
  }
}

TEST_CASE("reflection tells the services, health's messages included") {
  Stack& stack = Stack::Shared();
  const std::string method =
      "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const Client client = stack.Stranger(SIDE_PROCESSING);
  // list_services
  const std::string services =
      client.Send(method, {std::string("\x3a\x00", 2)}).bytes();
  CHECK(services.find("mtp.processing.v1.AllocationService") !=
        std::string::npos);
  CHECK(services.find("grpc.health.v1.Health") != std::string::npos);
  // What it passes on is there to be asked for too.
  CHECK(services.find("mtp.order.v1.PlanService") != std::string::npos);
  // file_containing_symbol
  for (const std::string symbol :
       {"grpc.health.v1.Health", "mtp.processing.v1.AllocationService"}) {
    const std::string file =
        client
            .Send(method, {std::string("\x22") +
                           static_cast<char>(symbol.size()) + symbol})
            .bytes();
    INFO(symbol);
    CHECK(file.find(".proto") != std::string::npos);
    CHECK((file.find("Check") != std::string::npos) ==
          (symbol == "grpc.health.v1.Health"));
  }
}

TEST_CASE("every answer bears the correlation id of its call") {
  Stack& stack = Stack::Shared();
  const Client client = stack.As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  CHECK(client.With(rpc::kCorrelationIdKey, "shift-7/scale-2")
            .Send(kListLocations, {""})
            .Trailer(rpc::kCorrelationIdKey) == "shift-7/scale-2");
  CHECK(client.Send(kListLocations, {""}).Trailer(rpc::kCorrelationIdKey) !=
        "");
  CHECK(stack.Stranger(SIDE_PROCESSING)
            .With(rpc::kCorrelationIdKey, "refused-1")
            .Send(kListLocations, {""})
            .Trailer(rpc::kCorrelationIdKey) == "refused-1");
}

}  // namespace
}  // namespace mtp::tests
