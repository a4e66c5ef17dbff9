#include "tests/support/sql.h"

#include <libpq-fe.h>

#include <catch2/catch.hpp>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mtp::tests {

Sql::Rows Sql::Query(std::string_view statement,
                     const std::vector<std::string>& parameters) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdb(conninfo_.c_str()), &PQfinish);
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) {
    values.push_back(parameter.c_str());
  }
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexecParams(connection.get(), std::string(statement).c_str(),
                   static_cast<int>(values.size()), nullptr, values.data(),
                   nullptr, nullptr, 0),
      &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    FAIL(std::string(statement) << "\n" << PQerrorMessage(connection.get()));
  }
  Rows rows(static_cast<size_t>(PQntuples(result.get())));
  for (size_t r = 0; r < rows.size(); ++r) {
    for (int c = 0; c < PQnfields(result.get()); ++c) {
      rows[r].emplace_back(PQgetvalue(result.get(), static_cast<int>(r), c));
    }
  }
  return rows;
}

std::string Sql::Text(std::string_view statement,
                      const std::vector<std::string>& parameters) const {
  const Rows rows = Query(statement, parameters);
  if (rows.size() != 1 || rows[0].size() != 1) {
    FAIL(std::string(statement)
         << "\ngave " << rows.size() << " rows instead of one value");
  }
  return rows[0][0];
}

int64_t Sql::Number(std::string_view statement,
                    const std::vector<std::string>& parameters) const {
  return std::stoll(Text(statement, parameters));
}

std::string ToText(const Sql::Rows& rows) {
  return absl::StrJoin(rows, "\n", [](std::string* out, const auto& row) {
    absl::StrAppend(out, absl::StrJoin(row, " | "));
  });
}

}  // namespace mtp::tests
