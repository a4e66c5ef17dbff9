#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mtp::tests {

// A look into a database beside the services. Every statement has a connection
// of its own, so that nothing is left behind and a restart of the server does
// not matter. A statement that fails fails the test.
class Sql {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  // `conninfo` as libpq reads it.
  explicit Sql(std::string conninfo) : conninfo_(std::move(conninfo)) {}

  // The rows, or what the database said instead; for where no test runs.
  absl::StatusOr<Rows> Try(
      std::string_view statement,
      const std::vector<std::string>& parameters = {}) const;
  // The rows as text; NULL is an empty text.
  Rows Query(std::string_view statement,
             const std::vector<std::string>& parameters = {}) const;
  // The one value of the one row.
  std::string Text(std::string_view statement,
                   const std::vector<std::string>& parameters = {}) const;
  int64_t Number(std::string_view statement,
                 const std::vector<std::string>& parameters = {}) const;

 private:
  std::string conninfo_;
};

// Statements in one transaction that is never committed: what they do is there
// for those behind them and gone afterwards, so that they may try what is not
// to happen.
class Draft {
 public:
  explicit Draft(const std::string& conninfo);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // Fails the test when it is refused.
  Sql::Rows Do(const std::string& statement);
  // What refuses the statement: the name of a constraint, or the code of the
  // error (`42501`); empty if nothing does. It is undone in any case.
  std::string Refusal(const std::string& statement);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

// A row a line, for messages.
std::string ToText(const Sql::Rows& rows);

}  // namespace mtp::tests
