#include "common/rpc/server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "common/base/errors.h"
#include "common/base/uuid.h"
#include "common/rpc/bytes.h"
#include "common/rpc/peer_channel.h"
#include "common/rpc/status.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/client_context.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/sessions.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/trace.pb.h"
#include "mtp/sync/v1/sync.pb.h"
#include "tests/support/sockets.h"
#include "tests/unit/rpc_bench.h"

namespace mtp::rpc {
namespace {

namespace fs = std::filesystem;
using mtp::order::v1::ImportPlansRequest;
using mtp::order::v1::ImportPlansResponse;
using mtp::order::v1::SignInRequest;
using mtp::order::v1::SignInResponse;

constexpr char kImport[] = "mtp.order.v1.PlanService/ImportPlans";
constexpr char kTrace[] = "mtp.processing.v1.TraceService/Trace";
constexpr char kApply[] = "mtp.sync.v1.OrderSyncService/ApplyShipmentProgress";

// A folder with a CA, and with certificates that it signed.
class Certificates {
 public:
  Certificates()
      : folder_(fs::temp_directory_path() /
                ("mtp-tls-" + Uuid::V7(absl::Now()).ToString())) {
    fs::create_directories(folder_);
    ca_key_ = EVP_EC_gen("P-256");
    ca_ = Make("Test CA", ca_key_, true);
    WriteCertificate("ca.pem", ca_);
  }
  ~Certificates() {
    X509_free(ca_);
    EVP_PKEY_free(ca_key_);
    fs::remove_all(folder_);
  }

  TlsFiles Issue(const std::string& name) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = Make(name, key, false);
    WriteCertificate(name + ".pem", certificate);
    std::FILE* file = std::fopen(Path(name + ".key").c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return {.certificate = Path(name + ".pem"),
            .key = Path(name + ".key"),
            .ca = Path("ca.pem")};
  }
  std::string Path(const std::string& name) const { return folder_ / name; }

 private:
  X509* Make(const std::string& name, EVP_PKEY* key, bool is_ca) {
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC,
        reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate,
                         is_ca ? subject : X509_get_subject_name(ca_));
    Extend(certificate, NID_basic_constraints,
           is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!is_ca) Extend(certificate, NID_subject_alt_name, "DNS:" + name);
    X509_sign(certificate, ca_key_, EVP_sha256());
    return certificate;
  }
  static void Extend(X509* certificate, int nid, const std::string& value) {
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  void WriteCertificate(const std::string& name, X509* certificate) {
    std::FILE* file = std::fopen(Path(name).c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
  }

  fs::path folder_;
  EVP_PKEY* ca_key_ = nullptr;
  X509* ca_ = nullptr;
  long serial_ = 0;
};

// A stream from a client, raw, that the test leads step by step.
class RawStream final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  RawStream(const std::shared_ptr<grpc::Channel>& channel,
            const std::string& method, const Metadata& metadata,
            absl::Time deadline = Soon())
      : stub_(channel) {
    context_.set_deadline(absl::ToChronoTime(deadline));
    for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
    stub_.PrepareBidiStreamingCall(&context_, "/" + method, {}, this);
    StartRead(&incoming_);
  }
  // Writes the messages and ends the client's side, or leaves it open.
  void Send(std::vector<std::string> messages, bool finish = true) {
    messages_ = std::move(messages);
    finish_ = finish;
    AddHold();
    WriteNext();
    StartCall();
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      WriteNext();
    } else {
      Release();
    }
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    std::string bytes;
    AppendBytes(incoming_, bytes);
    replies.push_back(std::move(bytes));
    StartRead(&incoming_);
  }
  void OnDone(const grpc::Status& s) override {
    std::lock_guard lock(mutex_);
    status_ = s;
    done_ = true;
    changed_.notify_all();
  }
  grpc::Status Wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20),
                              [this] { return done_; }));
    return status_;
  }
  void Cancel() { context_.TryCancel(); }
  void WaitUntilWritten() {
    while (!released_) std::this_thread::yield();
  }

  std::vector<std::string> replies;  // to be read after Wait

 private:
  void WriteNext() {
    if (next_ < messages_.size()) {
      outgoing_ = MakeBuffer(messages_[next_++]);
      StartWrite(&outgoing_);
      return;
    }
    if (finish_) StartWritesDone();
    Release();
  }
  void Release() {
    if (!released_.exchange(true)) RemoveHold();
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::vector<std::string> messages_;
  size_t next_ = 0;
  bool finish_ = true;
  std::atomic<bool> released_{false};
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  grpc::Status status_;
};

std::shared_ptr<grpc::Channel> ChannelTo(const Bench& bench) {
  return MakeChannel({.target = bench.Address(),
                      .insecure = true,
                      .own_connection = true})
      .value();
}

std::string Health(const std::string& address, const std::string& service) {
  auto channel =
      PeerChannel::Open({.target = address, .insecure = true}).value();
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  const auto reply = CallAndWait<grpc::health::v1::HealthCheckResponse>(
      *channel, "grpc.health.v1.Health/Check", request, Soon());
  if (!reply.ok()) return absl::StatusCodeToString(reply.status().code());
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(
      reply->status());
}

TEST_CASE("a unary call goes in and out, with its correlation id") {
  Bench bench;
  bench.Start(bench.Insecure());
  const auto channel = bench.Connect();
  const PeerReply reply =
      channel->CallAndWait(kSignIn, Credentials("nimal").SerializeAsString(),
                           Soon(), {{"x-correlation-id", "c-1"}});
  INFO(reply.status.ToString());
  REQUIRE(reply.status.ok());
  SignInResponse response;
  REQUIRE(response.ParseFromString(reply.bytes));
  REQUIRE(response.session().access_token() == "nimal");
  REQUIRE(std::find(reply.trailers.begin(), reply.trailers.end(),
                    std::pair<std::string, std::string>(
                        "x-correlation-id", "c-1")) != reply.trailers.end());
}

TEST_CASE("errors arrive with their details, also over the wire") {
  Bench bench;
  bench.Start(bench.Insecure());
  const auto channel = bench.Connect();
  const auto invalid =
      CallAndWait<SignInResponse>(*channel, kSignIn, SignInRequest(), Soon());
  REQUIRE(invalid.status().code() == absl::StatusCode::kInvalidArgument);
  REQUIRE(errors::Reason(invalid.status()) == "INVALID_FIELDS");
  const PeerReply denied = channel->CallAndWait(
      "mtp.processing.v1.AllocationService/ListAllocations", "", Soon());
  REQUIRE(denied.status.code() == absl::StatusCode::kUnauthenticated);
  const PeerReply missing = channel->CallAndWait(
      "mtp.processing.v1.AllocationService/ListAllocations", "", Soon(),
      bench.As(options::v1::ROLE_TRADER_OFFICER));
  REQUIRE(missing.status.code() == absl::StatusCode::kUnimplemented);
  REQUIRE(errors::Reason(missing.status) == "NOT_IN_THIS_RELEASE");
  const PeerReply garbled =
      channel->CallAndWait(kSignIn, "\x0a\x02\xc3\x28", Soon());
  REQUIRE(garbled.status.code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a client stream is one request, and bounded") {
  Bench bench;
  std::atomic<int> rows{0};
  bench.pipeline->Route(kImport, [&](std::unique_ptr<Call> call) {
    const auto& request =
        static_cast<const ImportPlansRequest&>(*call->message);
    rows = request.rows_size();
    ImportPlansResponse reply;
    reply.set_row_count(request.rows_size());
    call->Reply(reply.SerializeAsString());
  });
  ServerSettings settings = bench.Insecure();
  settings.streams.upload_bytes = 1 << 20;
  bench.Start(settings);
  const Metadata admin = bench.As(options::v1::ROLE_GRANDPASS_ADMIN);

  ImportPlansRequest head;
  head.set_file_name("plan.csv");
  head.set_file_digest(std::string(64, 'a'));
  ImportPlansRequest body;
  for (int i = 0; i < 100; ++i) {
    auto* row = body.add_rows();
    row->set_line_number(i + 1);
    row->set_product_name(std::string(100, 'x'));
  }
  std::vector<std::string> messages = {head.SerializeAsString()};
  for (int i = 0; i < 10; ++i) messages.push_back(body.SerializeAsString());

  SECTION("whole") {
    RawStream stream(ChannelTo(bench), kImport, admin);
    stream.Send(messages);
    REQUIRE(stream.Wait().ok());
    ImportPlansResponse reply;
    REQUIRE(stream.replies.size() == 1);
    REQUIRE(reply.ParseFromString(stream.replies[0]));
    REQUIRE(reply.row_count() == 1000);
  }
  SECTION("too large") {
    for (int i = 0; i < 200; ++i) messages.push_back(body.SerializeAsString());
    RawStream stream(ChannelTo(bench), kImport, admin);
    stream.Send(messages);
    REQUIRE(errors::Reason(FromGrpc(stream.Wait())) == "STREAM_TOO_LARGE");
  }
  SECTION("not allowed: told before it is read") {
    RawStream stream(ChannelTo(bench), kImport,
                     bench.As(options::v1::ROLE_TRADER_OFFICER));
    stream.Send({}, /*finish=*/false);
    REQUIRE(errors::Reason(FromGrpc(stream.Wait())) == "ROLE_NOT_ALLOWED");
  }
  SECTION("left open: ended when its deadline passes") {
    RawStream stream(ChannelTo(bench), kImport, admin,
                     absl::Now() + absl::Milliseconds(300));
    stream.Send({head.SerializeAsString()}, /*finish=*/false);
    REQUIRE(stream.Wait().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  SECTION("cut off: never handled as if it were whole") {
    // What arrives before the cut would be a request that keeps all rules.
    head.MergeFrom(body);
    for (int i = 0; i < 20; ++i) {
      RawStream stream(ChannelTo(bench), kImport, admin);
      stream.Send({head.SerializeAsString(), body.SerializeAsString()},
                  /*finish=*/false);
      stream.WaitUntilWritten();
      while (bench.pipeline->InFlight() == 0) std::this_thread::yield();
      stream.Cancel();
      REQUIRE(stream.Wait().error_code() == grpc::StatusCode::CANCELLED);
      while (bench.pipeline->InFlight() > 0) std::this_thread::yield();
    }
    REQUIRE(rows == 0);
  }
  SECTION("open while draining: ended at once") {
    RawStream stream(ChannelTo(bench), kImport, admin);
    stream.Send({head.SerializeAsString()}, /*finish=*/false);
    while (bench.pipeline->InFlight() == 0) std::this_thread::yield();
    const absl::Time start = absl::Now();
    bench.server->Drain(absl::ZeroDuration(), absl::Seconds(10));
    REQUIRE(errors::Reason(FromGrpc(stream.Wait())) == "DRAINING");
    REQUIRE(absl::Now() - start < absl::Seconds(5));
  }
  bench.server.reset();
  REQUIRE(bench.pipeline->InFlight() == 0);
}

TEST_CASE("a server stream arrives in order, or not at all") {
  Bench bench;
  std::atomic<bool> fail{false};
  bench.pipeline->Route(kTrace, [&](std::unique_ptr<Call> call) {
    if (fail) {
      call->Fail(errors::NotFound("bag", "x"));
      return;
    }
    std::thread([call = std::move(call)]() mutable {
      std::vector<std::string> messages;
      for (int i = 0; i < 50; ++i) {
        messages.push_back(
            std::string(10'000, static_cast<char>('a' + i % 26)));
      }
      call->ReplyStream(std::move(messages));
    }).detach();
  });
  bench.Start(bench.Insecure());
  mtp::processing::v1::TraceRequest request;
  request.mutable_start()->set_barcode(kSubject);
  request.set_direction(mtp::processing::v1::TRACE_DIRECTION_FORWARD);
  const Metadata officer = bench.As(options::v1::ROLE_SEEDUWA_OFFICER);

  RawStream stream(ChannelTo(bench), kTrace, officer);
  stream.Send({request.SerializeAsString()});
  REQUIRE(stream.Wait().ok());
  REQUIRE(stream.replies.size() == 50);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(stream.replies[i] ==
            std::string(10'000, static_cast<char>('a' + i % 26)));
  }
  fail = true;
  RawStream failing(ChannelTo(bench), kTrace, officer);
  failing.Send({request.SerializeAsString()});
  REQUIRE(errors::Reason(FromGrpc(failing.Wait())) == "BAG_NOT_FOUND");
  REQUIRE(failing.replies.empty());
}

TEST_CASE("health follows the server on both ports, service by service") {
  Bench bench;
  bench.Start(bench.Insecure());
  const std::string probe =
      "127.0.0.1:" + std::to_string(bench.server->probe_port());
  for (const std::string& address : {bench.Address(), probe}) {
    REQUIRE(Health(address, "") == "SERVING");
    REQUIRE(Health(address, "mtp.order.v1.SessionService") == "SERVING");
    REQUIRE(Health(address, "no.such.Service") == "NOT_FOUND");
  }
  bench.server->SetServing(false);
  for (const std::string& address : {bench.Address(), probe}) {
    REQUIRE(Health(address, "") == "NOT_SERVING");
    REQUIRE(Health(address, "mtp.order.v1.SessionService") == "NOT_SERVING");
  }
  // The probe port has nothing but health.
  auto channel = PeerChannel::Open({.target = probe, .insecure = true}).value();
  REQUIRE(channel->CallAndWait(kSignIn, "", Soon()).status.code() ==
          absl::StatusCode::kUnimplemented);
}

TEST_CASE("reflection lists every service, on the main port, if it is wanted") {
  constexpr char kReflection[] =
      "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const std::string list_services("\x3a\x00", 2);
  Bench bench;
  ServerSettings settings = bench.Insecure();
  const auto ask = [&](int port) {
    RawStream stream(MakeChannel({.target = "127.0.0.1:" + std::to_string(port),
                                  .insecure = true,
                                  .own_connection = true})
                         .value(),
                     kReflection, {});
    stream.Send({list_services});
    stream.Wait();
    return stream.replies.empty() ? "" : stream.replies[0];
  };
  SECTION("wanted") {
    bench.Start(settings);
    const std::string reply = ask(bench.server->port());
    for (const auto* service : bench.pipeline->services()) {
      REQUIRE(reply.find(service->full_name()) != std::string::npos);
    }
    REQUIRE(ask(bench.server->probe_port()).empty());
  }
  SECTION("not wanted") {
    settings.reflection = false;
    bench.Start(settings);
    REQUIRE(ask(bench.server->port()).empty());
  }
}

// A method whose calls take a while.
void RouteSlowly(Pipeline& pipeline) {
  pipeline.Route(kKeySet, [](std::unique_ptr<Call> call) {
    std::thread([call = std::move(call)]() mutable {
      absl::SleepFor(absl::Milliseconds(300));
      call->Reply("");
    }).detach();
  });
}

// One of them, under way.
std::future<absl::Status> CallSlowly(Bench& bench, PeerChannel& channel) {
  const auto outcome = std::make_shared<std::promise<absl::Status>>();
  channel.Call(kKeySet, "", Soon(), {},
               [outcome](absl::Status status, std::string) {
                 outcome->set_value(std::move(status));
               });
  while (bench.pipeline->InFlight() == 0) std::this_thread::yield();
  return outcome->get_future();
}

TEST_CASE("a drain lets running calls finish") {
  Bench bench;
  RouteSlowly(*bench.pipeline);
  bench.Start(bench.Insecure());
  const auto channel = bench.Connect();
  std::future<absl::Status> outcome = CallSlowly(bench, *channel);
  bench.server->Drain(absl::ZeroDuration(), absl::Seconds(10));
  const absl::Status status = outcome.get();
  INFO(status.ToString());
  REQUIRE(status.ok());
  REQUIRE(channel->CallAndWait(kSignIn, "", Soon()).status.code() ==
          absl::StatusCode::kUnavailable);
}

// A client that speaks HTTP/2 and then does nothing more, nor hears anything.
class DeafClient {
 public:
  explicit DeafClient(const tests::Address& server)
      : socket_(tests::StreamSocket(server)) {
    REQUIRE(connect(socket_.number(), server.get(), server.size) == 0);
    // The preface and settings without any.
    constexpr std::string_view kHello(
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    REQUIRE(write(socket_.number(), kHello.data(), kHello.size()) ==
            static_cast<ssize_t>(kHello.size()));
    // The server's own settings: it has taken the connection.
    char first = 0;
    REQUIRE(read(socket_.number(), &first, 1) == 1);
  }

 private:
  const tests::Descriptor socket_;
};

TEST_CASE("a drain waits for calls, not for who does not hear of it") {
  Bench bench;
  RouteSlowly(*bench.pipeline);
  bench.Start(bench.Insecure());
  const DeafClient deaf(tests::ParseAddress(bench.Address()));
  const auto channel = bench.Connect();
  std::future<absl::Status> outcome = CallSlowly(bench, *channel);
  const absl::Time start = absl::Now();
  bench.server->Drain(absl::ZeroDuration(), absl::Seconds(60));
  REQUIRE(absl::Now() - start < absl::Seconds(5));
  REQUIRE(outcome.get().ok());
}

TEST_CASE("a port that is taken is said in one line") {
  Bench bench;
  bench.Start(bench.Insecure());
  ServerSettings settings = bench.Insecure();
  settings.listen = bench.Address();
  const auto second = Server::Start(
      settings, {.pipeline = bench.pipeline.get(), .log = bench.log.get()});
  REQUIRE_FALSE(second.ok());
  REQUIRE(std::string(second.status().message())
              .find("cannot listen on " + bench.Address()) !=
          std::string::npos);
  settings.listen = "0.0.0.0:0";
  REQUIRE_FALSE(Server::Start(settings, {.pipeline = bench.pipeline.get(),
                                         .log = bench.log.get()})
                    .ok());
}

TEST_CASE("over TLS services come with certificates and people with tokens") {
  Certificates certificates;
  const TlsFiles own = certificates.Issue("order.local");
  Bench bench;
  bench.pipeline->Route(kApply, [](std::unique_ptr<Call> call) {
    call->Reply(call->caller.subject);
  });
  bench.Start({.listen = "127.0.0.1:0", .tls = own});
  mtp::sync::v1::ApplyShipmentProgressRequest request;
  request.mutable_sender()->set_side(mtp::common::v1::SIDE_PROCESSING);
  request.mutable_sender()->set_epoch(1);
  request.mutable_sender()->mutable_sent_at()->set_seconds(1);
  // What is wrong with a state is for the receiver to say.
  request.add_states()->mutable_key()->set_request_code(-1);
  const auto apply = [&](const TlsFiles& files, Metadata metadata = {}) {
    const auto channel = bench.Connect(
        {.tls = files, .server_name = "order.local", .own_connection = true});
    return channel
        ->CallAndWait(kApply, request.SerializeAsString(), Soon(),
                      std::move(metadata))
        .status;
  };
  const TlsFiles people = {.certificate = "", .key = "", .ca = own.ca};

  const absl::Status accepted = apply(certificates.Issue("seeduwa.local"));
  INFO(accepted.ToString());
  REQUIRE(accepted.ok());
  REQUIRE(errors::Reason(apply(certificates.Issue("stranger.local"))) ==
          "CERTIFICATE_MISSING");
  REQUIRE(errors::Reason(apply(people)) == "CERTIFICATE_MISSING");
  REQUIRE(
      errors::Reason(apply(people, bench.As(options::v1::ROLE_MASTER_ADMIN))) ==
      "SERVICES_ONLY");

  const auto person = bench.Connect(
      {.tls = people, .server_name = "order.local", .own_connection = true});
  REQUIRE(
      CallAndWait<SignInResponse>(*person, kSignIn, Credentials("n"), Soon())
          .ok());

  Certificates others;
  REQUIRE(apply(others.Issue("seeduwa.local")).code() ==
          absl::StatusCode::kUnavailable);
  const auto misled = bench.Connect({.tls = people,
                                     .server_name = "processing.local",
                                     .own_connection = true});
  REQUIRE(misled->CallAndWait(kSignIn, "", Soon()).status.code() ==
          absl::StatusCode::kUnavailable);
}

TEST_CASE("TLS files that do not fit are named") {
  Certificates certificates;
  TlsFiles files = certificates.Issue("a.local");
  REQUIRE(CheckTlsFiles(files, true).ok());
  files.key = certificates.Issue("b.local").key;
  REQUIRE_FALSE(CheckTlsFiles(files, true).ok());
  files.key = certificates.Path("none.key");
  REQUIRE(std::string(CheckTlsFiles(files, true).message()).find("none.key") !=
          std::string::npos);
}

}  // namespace
}  // namespace mtp::rpc
