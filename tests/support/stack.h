#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"
#include "tests/support/client.h"
#include "tests/support/cluster.h"
#include "tests/support/line.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"

namespace mtp::tests {

using common::v1::Side;
using common::v1::SIDE_ORDER;
using common::v1::SIDE_PROCESSING;
using options::v1::Role;

// Every role there is.
std::vector<Role> AllRoles();

// Certificates and token keys, made once for the run.
class Identities {
 public:
  static const Identities& Shared();

  // What people hand over: signed for this subject and role.
  std::string Token(Role role) const;
  const std::string& folder() const { return folder_; }
  const std::string& signing_key() const { return signing_key_; }
  const std::string& key_id() const { return key_id_; }
  // The subject of the person whom the tests let play a role.
  static std::string Subject(Role role);

 private:
  Identities();

  std::string folder_;
  std::string signing_key_;
  std::string key_id_;
};

// How a service is started.
struct Launching {
  // More variables of its environment (`NAME=value`).
  std::vector<std::string> environment = {};
  // As the earlier version (Stack::Options::older_programs).
  bool older = false;
};

// Both services as processes of their own, each with a database of its own,
// over TLS, on ports of their own. Ends with the test, whatever happens.
// Thread-safe but for what starts and ends processes, which is for one thread.
class Stack {
 public:
  struct Options {
    // None: the shared one.
    Cluster* cluster = nullptr;
    // Of the processing side, if it has one to itself.
    Cluster* processing_cluster = nullptr;
    // Handed to both services besides what they need, and to one alone.
    std::vector<std::string> flags;
    // From one seal of the audit trail to the next; 0: none is made, so that
    // nothing happens that no test asked for.
    int seal_seconds = 0;
    std::vector<std::string> order_flags = {};
    std::vector<std::string> processing_flags = {};
    // Where both find the keys of the tests' tokens, if not in their file.
    std::string token_keys = {};
    // Processes of each side, all on its one database.
    int replicas = 1;
    // Every connection to a side or to its database goes through a line that
    // can be disturbed; several replicas stand behind the same one.
    bool lines = false;
    // The services with test points (common/base/test_points.h); so are all
    // where MTP_PLANTED names a bug.
    bool test_points = false;
    // Of all processes (`NAME=value`).
    std::vector<std::string> environment = {};
    // Where the services of an earlier version are; if any, every second
    // process of a side begins as one.
    std::string older_programs = {};
  };

  // Starts both and waits until they serve.
  explicit Stack(Options options);
  Stack() : Stack(Options{}) {}
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // One of those that the tests of a program share, by its purpose; started at
  // first use. The one without a name is for tests that stop nothing.
  static Stack& Shared(const std::string& purpose = "");
  static Stack& Shared(const std::string& purpose, Options options);

  // Starts a side and waits until its health service says that it serves.
  void Start(Side side, size_t replica = 0);
  // Starts it and waits for nothing.
  void Launch(Side side, size_t replica, const Launching& how = {});
  bool HasOlder() const { return !older_programs_.empty(); }
  // Asks a side to end as an operator would, and waits until it has.
  void Stop(Side side, size_t replica = 0);
  // SIGKILL: the process has no say.
  void Kill(Side side, size_t replica = 0);
  void Restart(Side side) {
    Kill(side);
    Start(side);
  }
  bool Running(Side side, size_t replica = 0);
  void Signal(Side side, size_t replica, int signal);
  // Whether its health service says so now.
  bool Serving(Side side, size_t replica = 0) const;
  // The most memory a side's process ever held, in bytes; 0 when it is gone.
  int64_t PeakMemory(Side side, size_t replica = 0) const;

  // With Options::lines, what stands before a side for people, and for the
  // peer, and before its database.
  Line& PeopleLine(Side side) { return *Of(side).people_line; }
  Line& PeerLine(Side side) { return *Of(side).peer_line; }
  Line& DatabaseLine(Side side) { return *Of(side).database_line; }

  // A person of that role.
  Client As(Role role, Side side) const;
  // The same, at one of several processes, past all lines.
  Client As(Role role, Side side, size_t replica) const;
  // Somebody with that in the authorization header; without one, if empty.
  Client Stranger(Side side, const std::string& authorization = "") const;
  // The peer of `side`, by its certificate.
  Client Peer(Side side) const { return Certified(side, PeerOf(side)); }
  // The service `whose` at `side`, by its certificate.
  Client Certified(Side side, Side whose) const;
  // At the health port.
  Client Probe(Side side) const;

  // The same, at the side that the method's package belongs to.
  template <typename Response>
  absl::StatusOr<Response> Call(
      Role role, std::string_view method,
      const google::protobuf::Message& request) const {
    return As(role, SideOf(method)).Call<Response>(method, request);
  }
  static Side SideOf(std::string_view method);

  // A look into a side's database; it cannot change anything.
  Sql Database(Side side) const;
  // The same as its owner, who can.
  Sql Owner(Side side) const;
  // The same for programs that read a conninfo.
  std::string OwnerConninfo(Side side) const;
  // As the service connects.
  std::string ServiceConninfo(Side side) const;
  // A process of PostgreSQL that serves the service; none if there is none now.
  std::optional<int> AnyBackend(Side side) const;
  // Closes every connection that a service has to its database, at once.
  void CutDatabaseConnections(Side side);

  std::string Address(Side side) const;
  // What a side has logged so far.
  std::string Log(Side side) const;
  const std::string& certificate_authority() const { return authority_; }

 private:
  struct Replica {
    int port = 0;
    int probe_port = 0;
    std::string log;
    Process process;
    std::shared_ptr<grpc::Channel> probe;
  };
  struct Service {
    std::vector<Replica> replicas;
    std::string database;
    // For people and for the peer; the same port where no line stands.
    int port = 0;
    int peer_port = 0;
    // Where the service finds its database.
    std::filesystem::path socket_folder;
    std::unique_ptr<Line> people_line;
    std::unique_ptr<Line> peer_line;
    std::unique_ptr<Line> database_line;
    std::shared_ptr<grpc::Channel> people;
  };

  std::vector<std::string> Command(Side side, size_t replica,
                                   const Launching& how) const;
  void WaitUntilServing(Side side, size_t replica);
  void LayLines(Side side);
  Service& Of(Side side) { return services_.at(side); }
  const Service& Of(Side side) const { return services_.at(side); }

  Cluster& ClusterOf(Side side) const {
    return side == SIDE_ORDER ? cluster_ : processing_cluster_;
  }

  Cluster& cluster_;
  Cluster& processing_cluster_;
  const std::vector<std::string> flags_;
  const int seal_seconds_;
  const std::vector<std::string> order_flags_;
  const std::vector<std::string> processing_flags_;
  const std::string token_keys_;
  const bool test_points_;
  const std::vector<std::string> environment_;
  const std::string older_programs_;
  std::string authority_;
  std::map<Side, Service> services_;
};

}  // namespace mtp::tests
