#pragma once

#include <libpq-fe.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/params.h"
#include "common/db/result.h"

namespace mtp::db {

// A statement of the program. Define it as a constant: a connection prepares
// it at first use and knows it again by the address of its text.
struct Statement {
  const char* sql;
};

// A statement put together from parts that several statements share. For
// constants: what it makes lives as long as the process.
Statement Compose(std::initializer_list<std::string_view> parts);

// Statements that are sent together and answered together.
class Exchange {
 public:
  // Returns the index of the statement's result.
  size_t Add(const Statement& statement, Params params = {});
  // The same statements as one read-only transaction with one snapshot; their
  // results then lie between those of BEGIN and COMMIT.
  Exchange InSnapshot() const;
  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }

 private:
  friend class Connection;
  struct Item {
    const char* sql;
    Params params;
  };
  std::vector<Item> items_;
};

using Results = std::vector<Result>;

// What the database said against a statement. The status's code is UNAVAILABLE
// when the connection was lost (whether what was sent took effect is then
// unknown), ABORTED when the same transaction may succeed when it is run again
// (deadlock, serialization failure), INTERNAL otherwise.
std::string SqlState(const absl::Status& status);        // "23505", or empty
std::string ConstraintName(const absl::Status& status);  // or empty
// The rule of the schema that the data break: the name of a constraint, or the
// error's code where the rule has no name (a type that cannot hold them, NOT
// NULL). Nothing: they break none.
std::optional<std::string> BrokenRule(const absl::Status& status);
bool ConnectionLost(const absl::Status& status);
bool WorthRerunning(const absl::Status& status);
// Another transaction held what this one needed past the time that it may wait.
bool Busy(const absl::Status& status);
// The database lacks disk, memory or connections.
bool OutOfRoom(const absl::Status& status);
// The statement took longer than a statement may, by itself or by waiting.
bool TookTooLong(const absl::Status& status);

// One connection in pipeline mode. Used by one thread at a time.
class Connection {
 public:
  struct Options {
    std::string conninfo;
    std::string application_name;
    // How long a server may stay silent before the connection counts as lost;
    // longer than the role's statement_timeout.
    absl::Duration silence_limit = absl::Seconds(45);
    // Every statement finds its rows by key: it is planned once, over indexes,
    // however many keys it gets and whatever the statistics say of tables that
    // were empty a minute ago. Without it PostgreSQL scans a whole new table
    // for each batch until the table is analysed.
    bool by_key = false;
    // How long a statement waits for a lock, unless its transaction says
    // otherwise; nothing: as long as the role may.
    std::optional<absl::Duration> lock_timeout;
  };

  static absl::StatusOr<std::unique_ptr<Connection>> Open(
      const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends all exchanges in one go and waits for their results. Outside an open
  // transaction each exchange is a transaction of its own, so one that fails
  // takes nothing with it. A statement that fails makes the rest of its
  // exchange fail. An explicit transaction that failed must be rolled back.
  std::vector<absl::StatusOr<Results>> Run(std::span<const Exchange> exchanges);
  absl::StatusOr<Results> Run(const Exchange& exchange);
  absl::StatusOr<Result> Run(const Statement& statement, Params params = {});

  // False once the connection was lost; it does not come back.
  bool alive() const { return alive_; }

 private:
  Connection(PGconn* connection, const Options& options)
      : connection_(connection, &PQfinish), options_(options) {}
  absl::Status Send(const Exchange& exchange);
  absl::StatusOr<Results> Receive(const Exchange& exchange);
  // The next result, nullptr at the end of a statement's results.
  absl::StatusOr<PGresult*> NextResult();
  absl::Status Lost();

  struct Prepared {
    std::string name;
    bool confirmed = false;
  };
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  Options options_;
  bool alive_ = true;
  std::unordered_map<const void*, Prepared> prepared_;
  // What is under way, statement by statement: whether a prepare precedes it.
  std::vector<Prepared*> preparing_;
};

}  // namespace mtp::db
