#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mtp::tests {

// A look into a database beside the services. Every statement has a connection
// of its own, so that nothing is left behind and a restart of the server does
// not matter. A statement that fails fails the test.
class Sql {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  // `conninfo` as libpq reads it.
  explicit Sql(std::string conninfo) : conninfo_(std::move(conninfo)) {}

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

// A row a line, for messages.
std::string ToText(const Sql::Rows& rows);

}  // namespace mtp::tests
