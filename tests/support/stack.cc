// Listeners are for the one file that says so.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "tests/support/stack.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/rpc/keys.h"
#include "common/rpc/tls.h"
#include "common/rpc/token.h"
#include "tests/support/agreement.h"
#include "tests/support/failures.h"
#include "tests/support/wait.h"
#include "tests/support/wrong_clock.h"

namespace mtp::tests {
namespace {

constexpr char kServing[] = "\x08\x01";  // HealthCheckResponse, SERVING

// The folder where the services of this program log; emptied by every run.
const std::string& LogFolder() {
  static const std::string folder = [] {
    const std::string program =
        std::filesystem::read_symlink("/proc/self/exe").filename();
    const std::string made = MTP_BINARY_DIR "/../test-logs/" + program;
    std::filesystem::remove_all(made);
    std::filesystem::create_directories(made);
    return std::filesystem::canonical(made).string();
  }();
  return folder;
}

std::map<std::string, std::unique_ptr<Stack>>& SharedStacks() {
  static std::map<std::string, std::unique_ptr<Stack>> stacks;
  return stacks;
}

// The stacks that stand now.
std::set<const Stack*>& Standing() {
  static std::set<const Stack*> stacks;
  return stacks;
}

// What was found broken so far: what stays broken is not each later test's.
std::set<std::string>& KnownAsBroken() {
  static std::set<std::string> texts;
  return texts;
}

// Whatever a test did, and however it ended: what is always true must hold.
void LookAtInvariants(const Stack& stack, const std::string& after) {
  const std::string broken = BrokenInvariants(stack);
  if (broken.empty() || !KnownAsBroken().insert(broken).second) return;
  ++tests_that_broke_invariants;
  Catch::cerr() << "after " << after << " invariants are broken:\n" << broken;
}

// Ends the shared services before the program's own statics go, says where to
// read on when something failed, and looks at the invariants after every test.
struct RunListener : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    for (const Stack* stack : Standing()) {
      LookAtInvariants(*stack, '"' + stats.testInfo.name + '"');
    }
    TestEventListenerBase::testCaseEnded(stats);
  }

  void testRunEnded(const Catch::TestRunStats& stats) override {
    SharedStacks().clear();
    if (stats.totals.assertions.failed > 0 || tests_that_broke_invariants > 0) {
      Catch::cerr() << "what the services logged: " << LogFolder() << "\n";
    }
    TestEventListenerBase::testRunEnded(stats);
  }
};

std::string Certificate(Side side, const std::string& ending) {
  return Identities::Shared().folder() + "/certificates/" + NameOf(side) +
         "_service" + ending;
}

std::shared_ptr<grpc::Channel> Connect(
    const std::string& address,
    std::shared_ptr<grpc::ChannelCredentials> credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  // A service that was killed is back in no time.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  return grpc::CreateCustomChannel(address, std::move(credentials), arguments);
}

}  // namespace

CATCH_REGISTER_LISTENER(RunListener)

std::vector<Role> AllRoles() {
  std::vector<Role> roles;
  for (int role = options::v1::Role_MIN; role <= options::v1::Role_MAX;
       ++role) {
    if (role != options::v1::ROLE_UNSPECIFIED &&
        options::v1::Role_IsValid(role)) {
      roles.push_back(static_cast<Role>(role));
    }
  }
  return roles;
}

const Identities& Identities::Shared() {
  static const Identities identities;
  return identities;
}

Identities::Identities() : folder_(LogFolder() + "/identities") {
  // Valid for long enough for a process whose clock is behind.
  std::vector<std::string> certificates = WrongClock(-absl::Hours(1));
  certificates.insert(certificates.begin(), "env");
  certificates.push_back(MTP_SOURCE_DIR "/deploy/local/certificates");
  certificates.push_back(folder_ + "/certificates");
  RunOrFail(certificates);
  RunOrFail({MTP_SOURCE_DIR "/deploy/local/token_keys", folder_ + "/tokens"});
  signing_key_ = ReadFile(folder_ + "/tokens/signing.key");
  const absl::StatusOr<rpc::TokenKeys> keys =
      rpc::ParseJwks(ReadFile(folder_ + "/tokens/jwks.json"));
  REQUIRE(keys.ok());
  key_id_ = keys->begin()->first;
}

std::string Identities::Subject(Role role) {
  return absl::StrFormat("00000000-0000-4000-8000-%012d",
                         static_cast<int>(role));
}

std::string Identities::Token(Role role) const {
  // No assertion: many threads ask.
  return rpc::SignToken({.subject = Subject(role),
                         .username = rpc::RoleName(role),
                         .role = role,
                         .issued_at = absl::Now()},
                        signing_key_, key_id_)
      .value();
}

Stack::Stack(Options options)
    : cluster_(options.cluster == nullptr ? Cluster::Shared()
                                          : *options.cluster),
      processing_cluster_(options.processing_cluster == nullptr
                              ? cluster_
                              : *options.processing_cluster),
      flags_(std::move(options.flags)),
      seal_seconds_(options.seal_seconds),
      order_flags_(std::move(options.order_flags)),
      processing_flags_(std::move(options.processing_flags)),
      token_keys_(std::move(options.token_keys)),
      test_points_(options.test_points ||
                   std::getenv("MTP_PLANTED") != nullptr),
      environment_(std::move(options.environment)),
      older_programs_(std::move(options.older_programs)),
      authority_(Identities::Shared().folder() + "/certificates/ca.pem") {
  static int count = 0;
  const int number = ++count;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    Service& service = services_[side];
    service.database = ClusterOf(side).NewDatabase(side);
    for (int i = 0; i < options.replicas; ++i) {
      Replica& replica = service.replicas.emplace_back();
      replica.port = FreePort();
      replica.probe_port = FreePort();
      replica.probe = Connect(absl::StrCat("127.0.0.1:", replica.probe_port),
                              grpc::InsecureChannelCredentials());
      replica.log = absl::StrCat(LogFolder(), "/", number, "_", NameOf(side),
                                 i == 0 ? "" : absl::StrCat("_", i), ".log");
    }
    service.port = service.peer_port = service.replicas[0].port;
    if (options.lines) LayLines(side);
    service.people =
        Connect(Address(side), rpc::ChannelTls({.ca = authority_}).value());
  }
  for (auto& [side, service] : services_) {
    for (size_t i = 0; i < service.replicas.size(); ++i)
      Launch(side, i, {.older = HasOlder() && i % 2 == 1});
  }
  for (auto& [side, service] : services_) {
    for (size_t i = 0; i < service.replicas.size(); ++i) {
      WaitUntilServing(side, i);
    }
  }
  Standing().insert(this);
}

Stack::~Stack() {
  if (Standing().erase(this) > 0)
    LookAtInvariants(*this, "a stack's last test");
  for (auto& [side, service] : services_) {
    std::filesystem::remove_all(service.socket_folder);
    if (service.database_line == nullptr) continue;
    // Of hundreds of stacks, one after the other, PostgreSQL would have to
    // recover all.
    service.replicas.clear();
    ClusterOf(side).DropDatabase(service.database);
  }
}

void Stack::LayLines(Side side) {
  Service& service = Of(side);
  const auto local = [](int port) { return absl::StrCat("127.0.0.1:", port); };
  std::vector<std::string> replicas;
  for (const Replica& replica : service.replicas) {
    replicas.push_back(local(replica.port));
  }
  service.port = FreePort();
  service.people_line = std::make_unique<Line>(
      Line::Options{.listen = local(service.port), .targets = replicas});
  service.peer_port = FreePort();
  service.peer_line = std::make_unique<Line>(
      Line::Options{.listen = local(service.peer_port), .targets = replicas});
  char folder[] = "/tmp/mtp-line-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  service.socket_folder = folder;
  const std::filesystem::path socket = ClusterOf(side).socket();
  service.database_line = std::make_unique<Line>(
      Line::Options{.listen = service.socket_folder / socket.filename(),
                    .targets = {socket}});
}

Stack& Stack::Shared(const std::string& purpose) {
  return Shared(purpose, Options{});
}

Stack& Stack::Shared(const std::string& purpose, Options options) {
  std::unique_ptr<Stack>& stack = SharedStacks()[purpose];
  if (stack == nullptr) stack = std::make_unique<Stack>(std::move(options));
  return *stack;
}

std::vector<std::string> Stack::Command(Side side, size_t replica,
                                        const Launching& how) const {
  const std::string& folder = Identities::Shared().folder();
  const Replica& process = Of(side).replicas[replica];
  std::vector<std::string> command = {"env"};
  command.insert(command.end(), environment_.begin(), environment_.end());
  command.insert(command.end(), how.environment.begin(), how.environment.end());
  const std::vector<std::string> program = {
      how.older ? absl::StrCat(older_programs_, "/", NameOf(side), "_service")
                : absl::StrCat(MTP_BINARY_DIR "/", NameOf(side), "_service",
                               test_points_ ? "_planted" : ""),
      "--listen",
      absl::StrCat("127.0.0.1:", process.port),
      "--metrics-listen",
      "",
      "--probe-listen",
      absl::StrCat("127.0.0.1:", process.probe_port),
      "--database",
      ServiceConninfo(side),
      "--tls-certificate",
      Certificate(side, ".pem"),
      "--tls-key",
      Certificate(side, ".key"),
      "--tls-ca",
      authority_,
      "--token-keys",
      token_keys_.empty() ? folder + "/tokens/jwks.json" : token_keys_,
      "--peer",
      absl::StrCat("127.0.0.1:", Of(PeerOf(side)).peer_port),
      "--peer-name",
      NameOf(PeerOf(side)) + "_service",
      "--seal-seconds",
      absl::StrCat(seal_seconds_),
      "--reconcile-seconds",
      "0",
  };
  command.insert(command.end(), program.begin(), program.end());
  command.insert(command.end(), flags_.begin(), flags_.end());
  if (side == SIDE_ORDER) {
    // Passwords that are hashed in no time.
    command.insert(command.end(),
                   {"--password-memory-mib", "1", "--password-passes", "1"});
    command.insert(command.end(), order_flags_.begin(), order_flags_.end());
  } else {
    command.insert(command.end(), processing_flags_.begin(),
                   processing_flags_.end());
  }
  return command;
}

void Stack::Launch(Side side, size_t replica, const Launching& how) {
  Replica& started = Of(side).replicas[replica];
  REQUIRE(!started.process.Running());
  started.process = Process(Command(side, replica, how), started.log);
}

void Stack::Start(Side side, size_t replica) {
  Launch(side, replica);
  WaitUntilServing(side, replica);
}

bool Stack::Serving(Side side, size_t replica) const {
  return Client(Of(side).replicas[replica].probe, {})
             .Send("grpc.health.v1.Health/Check", {""}, absl::Seconds(1))
             .bytes() == kServing;
}

void Stack::WaitUntilServing(Side side, size_t replica) {
  Replica& started = Of(side).replicas[replica];
  const bool serving = Eventually(
      [&] { return !started.process.Running() || Serving(side, replica); });
  if (!serving || !started.process.Running()) {
    FAIL("the " << NameOf(side) << " service does not serve; it logged:\n"
                << ReadFile(started.log));
  }
}

void Stack::Stop(Side side, size_t replica) {
  Replica& asked = Of(side).replicas[replica];
  asked.process.Signal(SIGTERM);
  INFO(ReadFile(asked.log));
  REQUIRE(asked.process.Wait(kLimit) == 0);
}

void Stack::Kill(Side side, size_t replica) {
  Process& process = Of(side).replicas[replica].process;
  REQUIRE(process.Running());
  process.Signal(SIGKILL);
  REQUIRE(process.Wait(kLimit) == 128 + SIGKILL);
}

bool Stack::Running(Side side, size_t replica) {
  return Of(side).replicas[replica].process.Running();
}

void Stack::Signal(Side side, size_t replica, int signal) {
  Of(side).replicas[replica].process.Signal(signal);
}

int64_t Stack::PeakMemory(Side side, size_t replica) const {
  return Of(side).replicas[replica].process.PeakMemory();
}

Client Stack::As(Role role, Side side) const {
  return Stranger(side, "Bearer " + Identities::Shared().Token(role));
}

Client Stack::As(Role role, Side side, size_t replica) const {
  return Client(
      Connect(absl::StrCat("127.0.0.1:", Of(side).replicas[replica].port),
              rpc::ChannelTls({.ca = authority_}).value()),
      {{std::string(rpc::kAuthorizationKey),
        "Bearer " + Identities::Shared().Token(role)}});
}

Client Stack::Stranger(Side side, const std::string& authorization) const {
  rpc::Metadata metadata;
  if (!authorization.empty()) {
    metadata.emplace_back(rpc::kAuthorizationKey, authorization);
  }
  return Client(Of(side).people, std::move(metadata));
}

Client Stack::Certified(Side side, Side whose) const {
  return Client(
      Connect(Address(side),
              rpc::ChannelTls({.certificate = Certificate(whose, ".pem"),
                               .key = Certificate(whose, ".key"),
                               .ca = authority_})
                  .value()),
      {});
}

Client Stack::Probe(Side side) const {
  return Client(Of(side).replicas[0].probe, {});
}

Side Stack::SideOf(std::string_view method) {
  if (method.starts_with("mtp.order.")) return SIDE_ORDER;
  if (method.starts_with("mtp.processing.")) return SIDE_PROCESSING;
  FAIL("both sides have " << std::string(method) << ": say which");
  return common::v1::SIDE_UNSPECIFIED;
}

Sql Stack::Database(Side side) const {
  return Sql(ClusterOf(side).Conninfo(Of(side).database, "mtp_reader"));
}

Sql Stack::Owner(Side side) const { return Sql(OwnerConninfo(side)); }

std::string Stack::OwnerConninfo(Side side) const {
  return ClusterOf(side).Conninfo(Of(side).database, "mtp_owner");
}

std::string Stack::ServiceConninfo(Side side) const {
  const std::string& folder = Of(side).socket_folder;
  return ClusterOf(side).Conninfo(Of(side).database, "mtp_app", folder);
}

std::optional<int> Stack::AnyBackend(Side side) const {
  const absl::StatusOr<Sql::Rows> found = ClusterOf(side).Superuser().Try(
      "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename = "
      "'mtp_app' ORDER BY random() LIMIT 1",
      {Of(side).database});
  if (!found.ok() || found->empty()) return std::nullopt;
  return std::stoi((*found)[0][0]);
}

void Stack::CutDatabaseConnections(Side side) {
  // None where PostgreSQL is down or recovers.
  (void)ClusterOf(side).Superuser().Try(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE datname = $1 AND usename = 'mtp_app'",
      {Of(side).database});
}

std::string Stack::Log(Side side) const {
  return ReadFile(Of(side).replicas[0].log);
}

std::string Stack::Address(Side side) const {
  return absl::StrCat("127.0.0.1:", Of(side).port);
}

}  // namespace mtp::tests
