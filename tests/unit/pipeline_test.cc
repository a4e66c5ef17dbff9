#include "common/rpc/pipeline.h"

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "common/base/errors.h"
#include "common/base/uuid.h"
#include "common/rpc/metadata.h"
#include "common/rpc/status.h"
#include "google/rpc/error_details.pb.h"
#include "mtp/options/v1/options.pb.h"
#include "mtp/order/v1/sessions.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::rpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;
using mtp::processing::v1::AllocateToShipmentRequest;

constexpr char kAllocate[] =
    "mtp.processing.v1.AllocationService/AllocateToShipment";
constexpr char kSubject[] = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

const MethodDescriptor* MethodNamed(std::string name) {
  name.replace(name.find('/'), 1, ".");
  const auto* method = DescriptorPool::generated_pool()->FindMethodByName(name);
  REQUIRE(method != nullptr);
  return method;
}

// The transport's side of a call, kept to be looked at.
struct FakeExchange : Exchange {
  std::map<std::string, std::string> headers;
  std::set<std::string> several;  // of the headers, those sent more than once
  std::vector<std::string> certificate_names;
  absl::Time deadline = absl::InfiniteFuture();
  std::map<std::string, std::string> trailers;
  std::optional<grpc::Status> status;
  std::vector<std::string> messages;
  int answers = 0;

  std::string_view Header(std::string_view key) const override {
    const auto it = headers.find(std::string(key));
    return it == headers.end() ? std::string_view() : it->second;
  }
  bool HasSeveral(std::string_view key) const override {
    return several.contains(std::string(key));
  }
  std::vector<std::string> CertificateNames() const override {
    return certificate_names;
  }
  absl::Time Deadline() const override { return deadline; }
  bool Cancelled() const override { return false; }
  void AddTrailer(std::string_view key, std::string_view value) override {
    trailers[std::string(key)] = value;
  }
  void Answer(grpc::Status s, std::vector<std::string> m) override {
    ++answers;
    status = std::move(s);
    messages = std::move(m);
    ticket = {};
  }
  std::string Reason() const { return errors::Reason(FromGrpc(*status)); }
};

// A key file with one key, for as long as the test runs.
struct Tokens {
  std::string pem = MakeEs256Key();
  std::string path;
  std::unique_ptr<TokenKeyFile> keys;
  std::unique_ptr<TokenVerifier> verifier;

  Tokens() {
    path = "/tmp/mtp-pipeline-" + Uuid::V7(absl::Now()).ToString();
    std::FILE* file = std::fopen(path.c_str(), "w");
    REQUIRE(file != nullptr);
    const std::string jwks = JwksFromPem(pem, "k1").value();
    std::fwrite(jwks.data(), 1, jwks.size(), file);
    std::fclose(file);
    keys = TokenKeyFile::Open(path).value();
    verifier = std::make_unique<TokenVerifier>(TokenSettings{}, keys.get());
  }
  ~Tokens() { std::remove(path.c_str()); }
  std::string Bearer(options::v1::Role role,
                     bool must_change_password = false) const {
    return "Bearer " + SignToken({.subject = kSubject,
                                  .username = "nimal",
                                  .role = role,
                                  .issued_at = absl::Now(),
                                  .must_change_password = must_change_password},
                                 pem, "k1")
                           .value();
  }
};

struct Bench {
  std::unique_ptr<telemetry::Log> log =
      telemetry::Log::Open({.file = "/dev/null"}).value();
  telemetry::Metrics metrics;
  Tokens tokens;
  Authenticator authenticator{{.peer_names = {"seeduwa"}, .revoked = {}},
                              tokens.verifier.get()};
  std::unique_ptr<Pipeline> pipeline;

  explicit Bench(int max_in_flight = 100) {
    pipeline =
        Pipeline::Create(
            {.domain = "mtp.processing",
             .packages = {"mtp.processing.v1", "mtp.order.v1", "mtp.sync.v1"},
             .max_in_flight = max_in_flight,
             .before_password_change = {"mtp.order.v1.SessionService.SignOut"}},
            {.log = log.get(),
             .metrics = &metrics,
             .authenticator = &authenticator})
            .value();
  }

  void Run(FakeExchange& exchange, const std::string& method,
           const std::string& bytes) {
    Pipeline::Entry* entry = pipeline->Find(MethodNamed(method));
    REQUIRE(entry != nullptr);
    if (auto call = pipeline->Open(entry, &exchange)) {
      pipeline->Submit(std::move(call), bytes);
    }
  }
  FakeExchange Allocate(const std::string& bytes) {
    FakeExchange exchange;
    exchange.headers["authorization"] =
        tokens.Bearer(options::v1::ROLE_SEEDUWA_OPERATOR);
    Run(exchange, kAllocate, bytes);
    return exchange;
  }
};

AllocateToShipmentRequest GoodRequest() {
  AllocateToShipmentRequest request;
  request.set_request_id(kSubject);
  request.set_barcode(kSubject);
  request.mutable_shipment()->set_request_code(17);
  request.mutable_shipment()->set_shipment_code(1);
  request.set_grams(25'000);
  return request;
}

TEST_CASE(
    "a handler gets a call whose caller, deadline and request are known") {
  Bench bench;
  const std::string bytes = GoodRequest().SerializeAsString();
  bench.pipeline->Route(kAllocate, [&](std::unique_ptr<Call> call) {
    REQUIRE(call->request == bytes);
    const auto& request =
        static_cast<const AllocateToShipmentRequest&>(*call->message);
    REQUIRE(request.grams() == 25'000);
    REQUIRE(call->caller.kind == Caller::Kind::kPerson);
    REQUIRE(call->caller.subject == kSubject);
    REQUIRE(call->caller.username == "nimal");
    REQUIRE(call->deadline == call->received + absl::Seconds(30));
    REQUIRE(call->correlation_id == "order-17");
    REQUIRE(call->traceparent.substr(0, 36) ==
            "00-0af7651916cd43dd8448eb211c80319c-");
    REQUIRE(call->traceparent.substr(36, 16) != "b7ad6b7169203331");
    REQUIRE(call->authorization.starts_with("Bearer "));
    REQUIRE(bench.pipeline->InFlight() == 1);
    call->AddTrailer("mtp-sync-state", "pending");
    call->Reply("the reply");
  });
  FakeExchange exchange;
  exchange.headers = {
      {"authorization",
       bench.tokens.Bearer(options::v1::ROLE_SEEDUWA_OPERATOR)},
      {"x-correlation-id", "order-17"},
      {"traceparent",
       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
  bench.Run(exchange, kAllocate, bytes);
  REQUIRE(exchange.answers == 1);
  REQUIRE(exchange.status->ok());
  REQUIRE(exchange.messages == std::vector<std::string>{"the reply"});
  REQUIRE(exchange.trailers["x-correlation-id"] == "order-17");
  REQUIRE(exchange.trailers["mtp-sync-state"] == "pending");
  REQUIRE(bench.pipeline->InFlight() == 0);
  const std::string text = bench.metrics.Text();
  REQUIRE(text.find("grpc_server_handled_total{grpc_code=\"OK\",grpc_method="
                    "\"AllocateToShipment\"") != std::string::npos);
}

TEST_CASE("a method answers those that its access names, and nobody else") {
  Bench bench;
  int reached = 0;
  const auto handler = [&](std::unique_ptr<Call> call) {
    ++reached;
    call->Reply("");
  };
  const char* sign_in = "mtp.order.v1.SessionService/SignIn";
  const char* list = "mtp.processing.v1.AllocationService/ListAllocations";
  const char* apply = "mtp.sync.v1.OrderSyncService/ApplyShipmentProgress";
  for (const char* method : {kAllocate, sign_in, list, apply}) {
    bench.pipeline->Route(method, handler);
  }
  mtp::order::v1::SignInRequest credentials;
  credentials.set_username("nimal");
  credentials.set_password("secret");
  const std::map<std::string, std::string> requests = {
      {kAllocate, GoodRequest().SerializeAsString()},
      {sign_in, credentials.SerializeAsString()},
      {list, ""},
      {apply, ""}};
  enum Who { kNobody, kOperator, kGatepass, kPeer, kStranger, kBadToken };
  const auto reason = [&](const char* method, Who who) -> std::string {
    FakeExchange exchange;
    if (who == kOperator || who == kGatepass) {
      exchange.headers["authorization"] = bench.tokens.Bearer(
          who == kOperator ? options::v1::ROLE_SEEDUWA_OPERATOR
                           : options::v1::ROLE_GRANDPASS_GATEPASS);
    }
    if (who == kBadToken) exchange.headers["authorization"] = "Bearer x.y.z";
    if (who == kPeer) exchange.certificate_names = {"seeduwa"};
    if (who == kStranger) exchange.certificate_names = {"elsewhere"};
    bench.Run(exchange, method, requests.at(method));
    REQUIRE(exchange.answers == 1);
    if (exchange.status->ok()) return "OK";
    // The peer's empty request got through to the validation.
    return exchange.Reason() == "INVALID_FIELDS" ? "OK" : exchange.Reason();
  };
  REQUIRE(reason(kAllocate, kOperator) == "OK");
  REQUIRE(reason(kAllocate, kGatepass) == "ROLE_NOT_ALLOWED");
  REQUIRE(reason(kAllocate, kNobody) == "TOKEN_MISSING");
  REQUIRE(reason(kAllocate, kStranger) == "TOKEN_MISSING");
  REQUIRE(reason(kAllocate, kPeer) == "PEOPLE_ONLY");
  REQUIRE(reason(kAllocate, kBadToken) == "TOKEN_MALFORMED");
  REQUIRE(reason(list, kGatepass) == "OK");
  REQUIRE(reason(list, kNobody) == "TOKEN_MISSING");
  REQUIRE(reason(list, kPeer) == "PEOPLE_ONLY");
  REQUIRE(reason(sign_in, kNobody) == "OK");
  REQUIRE(reason(sign_in, kBadToken) == "OK");
  REQUIRE(reason(apply, kPeer) == "OK");
  REQUIRE(reason(apply, kOperator) == "SERVICES_ONLY");
  REQUIRE(reason(apply, kStranger) == "CERTIFICATE_MISSING");
  REQUIRE(reached == 4);
}

TEST_CASE("who must change the password first may do that and sign out") {
  Bench bench;
  const auto answer = [&](const std::string& method, bool must_change) {
    FakeExchange exchange;
    exchange.headers["authorization"] =
        bench.tokens.Bearer(options::v1::ROLE_SEEDUWA_OPERATOR, must_change);
    bench.Run(exchange, method, "");
    return exchange.Reason();
  };
  const std::string sign_out = "mtp.order.v1.SessionService/SignOut";
  const std::string list = "mtp.processing.v1.LocationService/ListLocations";
  CHECK(answer(list, true) == "PASSWORD_CHANGE_NEEDED");
  CHECK(answer(sign_out, true) == "NOT_IN_THIS_RELEASE");
  CHECK(answer(list, false) == "NOT_IN_THIS_RELEASE");
}

TEST_CASE("of two authorizations none counts") {
  Bench bench;
  FakeExchange exchange;
  exchange.headers["authorization"] =
      bench.tokens.Bearer(options::v1::ROLE_SEEDUWA_OPERATOR);
  exchange.several = {"authorization"};
  bench.Run(exchange, kAllocate, GoodRequest().SerializeAsString());
  REQUIRE(exchange.status->error_code() == grpc::StatusCode::UNAUTHENTICATED);
  REQUIRE(exchange.Reason() == "TOKEN_AMBIGUOUS");
}

TEST_CASE("every method of the contract declares who may call it") {
  const auto services =
      LinkedServices({"mtp.order.v1", "mtp.processing.v1", "mtp.sync.v1",
                      "mtp.audit.v1", "mtp.ops.v1"});
  REQUIRE(services.size() > 10);
  for (const auto* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      CAPTURE(service->method(i)->full_name());
      REQUIRE(DeclaresAccess(service->method(i)));
    }
  }
}

TEST_CASE("a method without a handler says that this release lacks it") {
  Bench bench;
  const FakeExchange exchange =
      bench.Allocate(GoodRequest().SerializeAsString());
  REQUIRE(exchange.status->error_code() == grpc::StatusCode::UNIMPLEMENTED);
  REQUIRE(exchange.Reason() == "NOT_IN_THIS_RELEASE");
  REQUIRE(bench.pipeline->Unrouted().size() > 50);
}

TEST_CASE("a request that breaks rules never reaches the handler") {
  Bench bench;
  bench.pipeline->Route(kAllocate, [](std::unique_ptr<Call>) { FAIL(); });
  FakeExchange exchange = bench.Allocate("\x12\x02\xc3\x28");
  REQUIRE(exchange.status->error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  AllocateToShipmentRequest request = GoodRequest();
  request.set_grams(0);
  request.clear_barcode();
  exchange = bench.Allocate(request.SerializeAsString());
  REQUIRE(exchange.Reason() == "INVALID_FIELDS");
  google::rpc::BadRequest bad_request;
  REQUIRE(bad_request.ParseFromString(std::string(
      *FromGrpc(*exchange.status)
           .GetPayload("type.googleapis.com/google.rpc.BadRequest"))));
  REQUIRE(bad_request.field_violations_size() == 2);
}

TEST_CASE("a handler that throws, forgets or repeats itself harms nobody") {
  Bench bench;
  enum What { kThrow, kThrowOdd, kForget, kTwice, kFailOk } what = kThrow;
  bench.pipeline->Route(kAllocate, [&](std::unique_ptr<Call> call) {
    if (what == kThrow) throw std::runtime_error("secret text");
    if (what == kThrowOdd) throw 42;
    if (what == kTwice) {
      call->Reply("first");
      call->Reply("second");
      call->Fail(absl::AbortedError(""));
    }
    if (what == kFailOk) call->Fail(absl::OkStatus());
  });
  for (const What each : {kThrow, kThrowOdd, kForget, kFailOk}) {
    what = each;
    const FakeExchange exchange =
        bench.Allocate(GoodRequest().SerializeAsString());
    REQUIRE(exchange.answers == 1);
    REQUIRE(exchange.status->error_code() == grpc::StatusCode::INTERNAL);
    REQUIRE(exchange.status->error_message().starts_with(
        "internal error, correlation id "));
  }
  what = kTwice;
  const FakeExchange exchange =
      bench.Allocate(GoodRequest().SerializeAsString());
  REQUIRE(exchange.answers == 1);
  REQUIRE(exchange.messages == std::vector<std::string>{"first"});
  REQUIRE(bench.pipeline->InFlight() == 0);
}

TEST_CASE("more calls than the limit are sent away, and the place comes back") {
  Bench bench(2);
  std::vector<std::unique_ptr<Call>> held;
  bench.pipeline->Route(kAllocate, [&](std::unique_ptr<Call> call) {
    held.push_back(std::move(call));
  });
  const std::string bytes = GoodRequest().SerializeAsString();
  FakeExchange exchanges[4];
  for (FakeExchange& exchange : exchanges) {
    exchange.headers["authorization"] =
        bench.tokens.Bearer(options::v1::ROLE_SEEDUWA_OPERATOR);
  }
  for (int i = 0; i < 3; ++i) bench.Run(exchanges[i], kAllocate, bytes);
  REQUIRE(held.size() == 2);
  REQUIRE(exchanges[2].status->error_code() ==
          grpc::StatusCode::RESOURCE_EXHAUSTED);
  REQUIRE(FromGrpc(*exchanges[2].status)
              .GetPayload("type.googleapis.com/google.rpc.RetryInfo"));
  held[0]->Reply("");
  bench.Run(exchanges[3], kAllocate, bytes);
  REQUIRE(held.size() == 3);
  for (auto& call : held) {
    if (!call->Cancelled()) call->Reply("");
  }
  REQUIRE(bench.pipeline->InFlight() == 0);
}

TEST_CASE("a deadline that has passed is told before anything is done") {
  Bench bench;
  bench.pipeline->Route(kAllocate, [](std::unique_ptr<Call>) { FAIL(); });
  FakeExchange exchange;
  exchange.deadline = absl::Now() - absl::Milliseconds(1);
  exchange.headers["authorization"] =
      bench.tokens.Bearer(options::v1::ROLE_SEEDUWA_OPERATOR);
  bench.Run(exchange, kAllocate, GoodRequest().SerializeAsString());
  REQUIRE(exchange.status->error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_CASE("a correlation id that cannot be one is replaced") {
  const absl::Time now = absl::Now();
  for (const std::string& sent :
       {std::string(), std::string("a b"), std::string("\xc3\xa9"),
        std::string(129, 'a'), std::string("a\nb")}) {
    REQUIRE(Uuid::Parse(TakeCorrelationId(sent, now)).has_value());
  }
  REQUIRE(TakeCorrelationId("~x!", now) == "~x!");
}

TEST_CASE("a trace that is not one is begun anew") {
  const std::string good =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const std::string own = ContinueTrace(good);
  REQUIRE(own.size() == 55);
  REQUIRE(own.substr(0, 36) == good.substr(0, 36));
  REQUIRE(own.substr(52) == "-00");
  for (const std::string& bad :
       {std::string(), std::string("garbage"), "01" + good.substr(2),
        good + "-x", "00-" + std::string(32, '0') + good.substr(35),
        "00-0AF7651916CD43DD8448EB211C80319C" + good.substr(35)}) {
    REQUIRE(ContinueTrace(bad).size() == 55);
    REQUIRE(ContinueTrace(bad).substr(3, 32) != good.substr(3, 32));
  }
}

TEST_CASE("metadata that gRPC would end the process over is held back") {
  Bench bench;
  bench.pipeline->Route(kAllocate, [](std::unique_ptr<Call> call) {
    call->AddTrailer("Upper", "x");
    call->AddTrailer("x-note", "line\nbreak");
    call->AddTrailer("x-note-bin", "x");
    call->AddTrailer("", "x");
    call->Reply("");
  });
  const FakeExchange exchange =
      bench.Allocate(GoodRequest().SerializeAsString());
  REQUIRE(exchange.status->ok());
  REQUIRE(exchange.trailers.size() == 1);
}

}  // namespace
}  // namespace mtp::rpc
