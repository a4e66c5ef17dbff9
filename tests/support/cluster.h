#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "mtp/common/v1/common.pb.h"
#include "tests/support/sql.h"

namespace mtp::tests {

// The name of a side as scripts and files have it: `order`, `processing`.
std::string NameOf(common::v1::Side side);
common::v1::Side PeerOf(common::v1::Side side);

// A port of this machine that is free now, below those that the system gives
// to outgoing connections.
int FreePort();

// A PostgreSQL cluster for the run, in a folder of its own that is gone
// afterwards, however the test ends. It has a migrated template of each side's
// database, from which stacks get theirs.
class Cluster {
 public:
  enum class Durability {
    // Survives a crash of PostgreSQL, as in the plant.
    kDurable,
    // Does not wait for disks.
    kFast,
    // As in the plant, and its WAL is kept, so that it can be restored.
    kArchived,
  };

  // In a folder of `parent`; none: where temporary files go.
  explicit Cluster(Durability durability, const std::string& parent = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // The one that the tests of a program share, fast. Ends with the run.
  static Cluster& Shared();
  // The same, of those that keep their promises: what was acknowledged is there
  // after a crash.
  static Cluster& Durable();

  // Makes a database with this side's schema; its name.
  std::string NewDatabase(common::v1::Side side);
  // Whoever is connected to it.
  void DropDatabase(const std::string& name);
  // In `folder` stands the socket, if it is not the cluster's own.
  std::string Conninfo(const std::string& database, const std::string& user,
                       const std::string& folder = {}) const;
  // The path of its socket.
  std::string socket() const;
  Sql Superuser() const;

  // Ends PostgreSQL as a power failure would; Start recovers.
  void Crash();
  void Start();

  // A base backup of it as it is now (kArchived).
  void BackUp();
  // Ends PostgreSQL and restores it to what it was at that moment, by its own
  // clock, behind the backup.
  void RestoreTo(const std::string& moment);

 private:
  void MakeTemplates();

  std::string folder_;
  std::string socket_folder_;
  int port_ = 0;
  // While this end is open, the keeper outside of the test leaves all in place.
  int keeper_pipe_ = -1;
  int keeper_ = 0;
  std::mutex mutex_;
  int database_count_ = 0;
};

}  // namespace mtp::tests
