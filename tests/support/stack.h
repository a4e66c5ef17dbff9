#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"
#include "tests/support/client.h"
#include "tests/support/cluster.h"
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

// Both services as processes of their own, each with a database of its own,
// over TLS, on ports of their own. Ends with the test, whatever happens.
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
  void Start(Side side);
  // Asks a side to end as an operator would, and waits until it has.
  void Stop(Side side);
  // SIGKILL: the process has no say.
  void Kill(Side side);
  void Restart(Side side) {
    Kill(side);
    Start(side);
  }
  bool Running(Side side);
  // The most memory a side's process ever held, in bytes.
  int64_t PeakMemory(Side side) const;

  // A person of that role.
  Client As(Role role, Side side) const;
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
  // Closes every connection that a service has to its database, at once.
  void CutDatabaseConnections(Side side);

  std::string Address(Side side) const;
  // What a side has logged so far.
  std::string Log(Side side) const;
  const std::string& certificate_authority() const { return authority_; }

 private:
  struct Service {
    int port = 0;
    int probe_port = 0;
    std::string database;
    std::string log;
    Process process;
    std::shared_ptr<grpc::Channel> people;
    std::shared_ptr<grpc::Channel> probe;
  };

  std::vector<std::string> Command(Side side) const;
  void WaitUntilServing(Side side);
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
  std::string authority_;
  std::map<Side, Service> services_;
};

}  // namespace mtp::tests
