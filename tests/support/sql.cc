#include "tests/support/sql.h"

#include <libpq-fe.h>

#include <catch2/catch.hpp>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mtp::tests {

namespace {

using PgConnection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using PgResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

PgResult Execute(PGconn* connection, const std::string& statement,
                 const std::vector<std::string>& parameters = {}) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) {
    values.push_back(parameter.c_str());
  }
  return {PQexecParams(connection, statement.c_str(),
                       static_cast<int>(values.size()), nullptr, values.data(),
                       nullptr, nullptr, 0),
          &PQclear};
}

bool Done(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

Sql::Rows RowsOf(const PGresult* result) {
  Sql::Rows rows(static_cast<size_t>(PQntuples(result)));
  for (size_t r = 0; r < rows.size(); ++r) {
    for (int c = 0; c < PQnfields(result); ++c) {
      rows[r].emplace_back(PQgetvalue(result, static_cast<int>(r), c));
    }
  }
  return rows;
}

}  // namespace

absl::StatusOr<Sql::Rows> Sql::Try(
    std::string_view statement,
    const std::vector<std::string>& parameters) const {
  const PgConnection connection(PQconnectdb(conninfo_.c_str()), &PQfinish);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    return absl::UnknownError(PQerrorMessage(connection.get()));
  }
  const PgResult result =
      Execute(connection.get(), std::string(statement), parameters);
  if (Done(result.get())) return RowsOf(result.get());
  return absl::UnknownError(PQerrorMessage(connection.get()));
}

Sql::Rows Sql::Query(std::string_view statement,
                     const std::vector<std::string>& parameters) const {
  absl::StatusOr<Rows> rows = Try(statement, parameters);
  if (!rows.ok()) FAIL(std::string(statement) << "\n" << rows.status());
  return *std::move(rows);
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

struct Draft::Connection {
  PgConnection pg;
};

Draft::Draft(const std::string& conninfo)
    : connection_(std::make_unique<Connection>(
          Connection{PgConnection(PQconnectdb(conninfo.c_str()), &PQfinish)})) {
  Do("SET client_min_messages = warning");
  Do("BEGIN");
}

Draft::~Draft() = default;

Sql::Rows Draft::Do(const std::string& statement) {
  const PgResult result = Execute(connection_->pg.get(), statement);
  if (!Done(result.get())) {
    FAIL(statement << "\n" << PQerrorMessage(connection_->pg.get()));
  }
  return RowsOf(result.get());
}

std::string Draft::Refusal(const std::string& statement) {
  Do("SAVEPOINT before");
  const PgResult result = Execute(connection_->pg.get(), statement);
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(result.get(), code);
    return std::string(text == nullptr ? "" : text);
  };
  std::string refusal;
  if (!Done(result.get())) {
    refusal = field(PG_DIAG_CONSTRAINT_NAME);
    if (refusal.empty()) refusal = field(PG_DIAG_SQLSTATE);
  }
  Do("ROLLBACK TO SAVEPOINT before");
  return refusal;
}

std::string ToText(const Sql::Rows& rows) {
  return absl::StrJoin(rows, "\n", [](std::string* out, const auto& row) {
    absl::StrAppend(out, absl::StrJoin(row, " | "));
  });
}

}  // namespace mtp::tests
