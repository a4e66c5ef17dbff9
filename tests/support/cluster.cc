#include "tests/support/cluster.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/support/process.h"
#include "tests/support/sockets.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using common::v1::Side;
using common::v1::SIDE_ORDER;
using common::v1::SIDE_PROCESSING;

const std::string kScript = MTP_SOURCE_DIR "/deploy/local/cluster";

std::string Template(Side side) { return NameOf(side) + "_template"; }

// Waits until the other end of the pipe is closed, by whatever end of the test,
// and then removes the cluster.
constexpr char kKeeper[] = R"(cat >/dev/null; "$1" remove "$2"; rm -rf "$3")";

int StartKeeper(int pipe_end, const std::string& folder) {
  const std::string cluster = folder + "/postgres";
  const std::vector<const char*> command = {
      "bash",          "-c",           kKeeper, "keeper", kScript.c_str(),
      cluster.c_str(), folder.c_str(), nullptr};
  const int id = fork();
  if (id != 0) return id;
  // Out of the reach of what ends the test: a Ctrl-C, a time limit.
  setsid();
  const int nothing = open("/dev/null", O_WRONLY);
  dup2(pipe_end, STDIN_FILENO);
  dup2(nothing, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  for (int other = 3; other < 1024; ++other) close(other);
  execvp(command[0], const_cast<char* const*>(command.data()));
  _exit(127);
}

}  // namespace

std::string NameOf(Side side) {
  return side == SIDE_ORDER ? "order" : "processing";
}

Side PeerOf(Side side) {
  return side == SIDE_ORDER ? SIDE_PROCESSING : SIDE_ORDER;
}

namespace {

// Programs of tests that run beside each other take their ports from blocks of
// their own: what listens on a port may be down while another program looks.
constexpr int kFirstPort = 15'000;
constexpr int kBlock = 1'000;
constexpr int kBlocks = 16;

// The first port of a block that is this program's until it ends.
int OwnBlock() {
  for (int block = 0; block < kBlocks; ++block) {
    // A name that no file has, and that goes with the program.
    const std::string name = absl::StrCat("mtp-test-ports-", block);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, name.size());
    const int held = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                               1 + name.size());
    if (bind(held, reinterpret_cast<sockaddr*>(&address), length) == 0)
      return kFirstPort + block * kBlock;
    close(held);
  }
  FAIL("more than " << kBlocks << " programs of tests run at once");
  return 0;
}

}  // namespace

int FreePort() {
  static const int first = OwnBlock();
  // Never one that was given a moment ago and is not listened on yet.
  static int given = 0;
  while (true) {
    const int port = first + given++ % kBlock;
    const Address address = ParseAddress(absl::StrCat("127.0.0.1:", port));
    const Descriptor probe = StreamSocket(address);
    if (bind(probe.number(), address.get(), address.size) == 0) return port;
  }
}

namespace {

// What is backed up and restored is made and removed for each test, with
// thousands of files: in memory, where there is room, that takes no time. No
// test takes the machine's power away.
std::string FolderFor(Cluster::Durability durability) {
  constexpr uint64_t kRoom = uint64_t{6} << 30;
  struct statvfs memory {};
  if (durability == Cluster::Durability::kArchived &&
      statvfs("/dev/shm", &memory) == 0 &&
      memory.f_bavail * memory.f_frsize >= kRoom) {
    return "/dev/shm";
  }
  const char* temporary = std::getenv("TMPDIR");
  return temporary == nullptr ? "/tmp" : temporary;
}

}  // namespace

Cluster::Cluster(Durability durability, const std::string& parent)
    : port_(FreePort()) {
  folder_ = absl::StrCat(parent.empty() ? FolderFor(durability) : parent,
                         "/mtp-test-XXXXXX");
  REQUIRE(mkdtemp(folder_.data()) != nullptr);
  // The system user of PostgreSQL must get through.
  REQUIRE(chmod(folder_.c_str(), 0755) == 0);
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  keeper_pipe_ = ends[1];
  keeper_ = StartKeeper(ends[0], folder_);
  close(ends[0]);

  std::vector<std::string> create = {kScript, "create", folder_ + "/postgres",
                                     absl::StrCat(port_),
                                     // Those of many stacks at a time.
                                     "max_connections=400"};
  if (durability == Durability::kDurable) {
    // Those are crashed behind lines: one that swallows what a client says
    // first must not hold up the end for a minute.
    create.insert(create.end(), {"authentication_timeout=10s",
                                 // Else recovery begins with every file of all
                                 // databases, one by one.
                                 "recovery_init_sync_method=syncfs"});
  }
  if (durability == Durability::kFast) {
    create.insert(create.end(), {"fsync=off", "synchronous_commit=off",
                                 "full_page_writes=off"});
  }
  if (durability == Durability::kArchived) {
    const std::string archive = folder_ + "/archive";
    REQUIRE(mkdir(archive.c_str(), 0777) == 0);
    REQUIRE(chmod(archive.c_str(), 0777) == 0);
    // A segment that is there is there whole.
    const std::string kept = absl::StrCat("\"", archive, "/%f\"");
    const std::string copied = absl::StrCat("\"", archive, "/%f.part\"");
    create.insert(
        create.end(),
        {"archive_mode=on", absl::StrCat("archive_command=cp \"%p\" ", copied,
                                         " && mv ", copied, " ", kept)});
  }
  RunOrFail(create);
  socket_folder_ = std::string(absl::StripSuffix(
      RunOrFail({kScript, "socket", folder_ + "/postgres"}), "\n"));
  Start();
  MakeTemplates();
}

Cluster::~Cluster() {
  close(keeper_pipe_);
  waitpid(keeper_, nullptr, 0);
}

Cluster& Cluster::Shared() {
  static Cluster cluster(Durability::kFast);
  return cluster;
}

Cluster& Cluster::Durable() {
  static Cluster cluster(Durability::kDurable);
  return cluster;
}

void Cluster::MakeTemplates() {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    RunOrFail({kScript, "database", folder_ + "/postgres", Template(side)});
  }
  const auto migrate = [&](Side side) {
    return Process({MTP_SOURCE_DIR "/deploy/local/migrate", NameOf(side),
                    Conninfo(Template(side), "mtp_owner")},
                   folder_ + "/migrate.log");
  };
  // At the same time: most of it is waiting for programs to start.
  Process order = migrate(SIDE_ORDER);
  Process processing = migrate(SIDE_PROCESSING);
  for (Process* process : {&order, &processing}) {
    INFO(ReadFile(folder_ + "/migrate.log"));
    REQUIRE(process->Wait(absl::Minutes(2)) == 0);
  }
}

std::string Cluster::NewDatabase(Side side) {
  std::lock_guard lock(mutex_);
  const std::string name = absl::StrCat(NameOf(side), "_", ++database_count_);
  Superuser().Query(absl::StrCat("CREATE DATABASE ", name, " TEMPLATE ",
                                 Template(side), " OWNER mtp_owner"));
  return name;
}

void Cluster::DropDatabase(const std::string& name) {
  (void)Superuser().Try(absl::StrCat("DROP DATABASE ", name, " WITH (FORCE)"));
}

std::string Cluster::Conninfo(const std::string& database,
                              const std::string& user,
                              const std::string& folder) const {
  return absl::StrCat("host=", folder.empty() ? socket_folder_ : folder,
                      " port=", port_, " dbname=", database, " user=", user);
}

std::string Cluster::socket() const {
  return absl::StrCat(socket_folder_, "/.s.PGSQL.", port_);
}

Sql Cluster::Superuser() const { return Sql(Conninfo("postgres", "postgres")); }

void Cluster::Crash() {
  RunOrFail({kScript, "stop", folder_ + "/postgres", "immediate"});
}

void Cluster::BackUp() {
  RunOrFail(
      {kScript, "backup", folder_ + "/postgres", folder_ + "/postgres/backup"});
}

void Cluster::RestoreTo(const std::string& moment) {
  // What was written last is in the archive before the end.
  Superuser().Query("CHECKPOINT");
  const std::string segment =
      Superuser().Text("SELECT pg_walfile_name(pg_switch_wal())");
  REQUIRE(Eventually([&] {
    return access((folder_ + "/archive/" + segment).c_str(), F_OK) == 0;
  }));
  RunOrFail({kScript, "restore", folder_ + "/postgres",
             folder_ + "/postgres/backup", folder_ + "/archive", moment});
}

void Cluster::Start() { RunOrFail({kScript, "start", folder_ + "/postgres"}); }

}  // namespace mtp::tests
