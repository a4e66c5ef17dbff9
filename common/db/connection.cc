#include "common/db/connection.h"

#include <poll.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace mtp::db {
namespace {

constexpr char kSqlStateUrl[] = "mtp.db/sqlstate";
constexpr char kConstraintUrl[] = "mtp.db/constraint";
constexpr char kLostUrl[] = "mtp.db/connection-lost";

constexpr std::string_view kSerializationFailure = "40001";
constexpr std::string_view kDeadlockDetected = "40P01";
constexpr std::string_view kStatementTimeout = "57014";
constexpr std::string_view kLockTimeout = "55P03";
// A statement whose prepare was skipped because something before it failed.
constexpr std::string_view kNotPrepared = "26000";
// A statement sent behind one that broke an explicit transaction.
constexpr std::string_view kInFailedTransaction = "25P02";

const char* Field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? "" : value;
}

// Shutdown, crash recovery and terminated backends: the connection is going.
bool IsConnectionState(std::string_view state) {
  return state.starts_with("08") || state == "57P01" || state == "57P02" ||
         state == "57P03";
}

absl::Status LostStatus(std::string_view message) {
  absl::Status status = absl::UnavailableError(
      absl::StrCat("the database connection was lost: ", std::string(message)));
  status.SetPayload(kLostUrl, absl::Cord("1"));
  return status;
}

absl::Status ErrorOf(const PGresult* result) {
  const std::string state = Field(result, PG_DIAG_SQLSTATE);
  const std::string message =
      absl::StrCat(state, " ", Field(result, PG_DIAG_MESSAGE_PRIMARY), " ",
                   Field(result, PG_DIAG_MESSAGE_DETAIL));
  absl::Status status;
  if (IsConnectionState(state)) {
    status = LostStatus(message);
  } else if (state == kSerializationFailure || state == kDeadlockDetected ||
             state == kNotPrepared || state == kInFailedTransaction) {
    status = absl::AbortedError(message);
  } else {
    status = absl::InternalError(message);
  }
  status.SetPayload(kSqlStateUrl, absl::Cord(state));
  if (const char* name = Field(result, PG_DIAG_CONSTRAINT_NAME);
      *name != '\0') {
    status.SetPayload(kConstraintUrl, absl::Cord(name));
  }
  return status;
}

std::string Payload(const absl::Status& status, const char* url) {
  const auto payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : "";
}

}  // namespace

std::string SqlState(const absl::Status& status) {
  return Payload(status, kSqlStateUrl);
}
std::string ConstraintName(const absl::Status& status) {
  return Payload(status, kConstraintUrl);
}
std::optional<std::string> BrokenRule(const absl::Status& status) {
  // https://www.postgresql.org/docs/15/errcodes-appendix.html: data exceptions,
  // integrity constraint violations.
  const std::string state = SqlState(status);
  if (!state.starts_with("22") && !state.starts_with("23")) return std::nullopt;
  const std::string constraint = ConstraintName(status);
  return constraint.empty() ? "SQLSTATE " + state : constraint;
}
bool ConnectionLost(const absl::Status& status) {
  return status.GetPayload(kLostUrl).has_value();
}
bool WorthRerunning(const absl::Status& status) {
  const std::string state = SqlState(status);
  return state == kSerializationFailure || state == kDeadlockDetected ||
         state == kNotPrepared || state == kInFailedTransaction;
}

bool Busy(const absl::Status& status) {
  const std::string state = SqlState(status);
  return state == kStatementTimeout || state == kLockTimeout;
}

bool OutOfRoom(const absl::Status& status) {
  return SqlState(status).starts_with("53");
}

bool TookTooLong(const absl::Status& status) {
  return SqlState(status) == kStatementTimeout;
}

Statement Compose(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text.append(part);
  // As long as the program: statements are constants, named by their address.
  static std::mutex mutex;
  static auto* const kept = new std::deque<std::string>();
  std::lock_guard lock(mutex);
  return {kept->emplace_back(std::move(text)).c_str()};
}

size_t Exchange::Add(const Statement& statement, Params params) {
  items_.push_back({statement.sql, std::move(params)});
  return items_.size() - 1;
}

Exchange Exchange::InSnapshot() const {
  static constexpr Statement kBegin{
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
  static constexpr Statement kCommit{"COMMIT"};
  Exchange snapshot;
  snapshot.Add(kBegin);
  snapshot.items_.insert(snapshot.items_.end(), items_.begin(), items_.end());
  snapshot.Add(kCommit);
  return snapshot;
}

constexpr const char* kPlanByKey =
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; "
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;";

// What a session is told before anything else; may be empty.
static std::string Opening(const Connection::Options& options) {
  std::string sql;
  if (options.by_key) sql = kPlanByKey;
  if (options.lock_timeout.has_value()) {
    absl::StrAppend(&sql, "SET lock_timeout = ",
                    absl::ToInt64Milliseconds(*options.lock_timeout));
  }
  return sql;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    const Options& options) {
  // The tcp and keepalive limits find a peer that vanished; a server that
  // merely stopped answering is found by silence_limit.
  const char* const keywords[] = {
      "dbname",           "application_name", "connect_timeout",
      "client_encoding",  "keepalives_idle",  "keepalives_interval",
      "keepalives_count", "tcp_user_timeout", nullptr};
  const char* const values[] = {options.conninfo.c_str(),
                                options.application_name.c_str(),
                                "5",
                                "UTF8",
                                "10",
                                "5",
                                "3",
                                "20000",
                                nullptr};
  PGconn* raw = PQconnectdbParams(keywords, values, /*expand_dbname=*/1);
  auto connection = std::unique_ptr<Connection>(new Connection(raw, options));
  if (PQstatus(raw) != CONNECTION_OK) return LostStatus(PQerrorMessage(raw));
  // Warnings (a ROLLBACK without a transaction) are nobody's business.
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  if (const std::string opening = Opening(options); !opening.empty()) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> set(
        PQexec(raw, opening.c_str()), &PQclear);
    if (PQresultStatus(set.get()) != PGRES_COMMAND_OK) {
      return LostStatus(PQerrorMessage(raw));
    }
  }
  if (PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1) {
    return LostStatus(PQerrorMessage(raw));
  }
  return connection;
}

Connection::~Connection() = default;

absl::Status Connection::Lost() {
  alive_ = false;
  return LostStatus(PQerrorMessage(connection_.get()));
}

// Parameters so large go out before more are added: libpq would keep a second
// copy of all that the server has not read yet.
constexpr size_t kLargeParameters = 64 * 1024;

// Waits until the server has read what was sent, or has been silent for
// `limit`.
static bool SendAll(PGconn* conn, absl::Duration limit) {
  const absl::Time give_up = absl::Now() + limit;
  for (int unsent = PQflush(conn); unsent != 0; unsent = PQflush(conn)) {
    if (unsent < 0) return false;
    pollfd wait{PQsocket(conn), POLLIN | POLLOUT, 0};
    const int64_t left = absl::ToInt64Milliseconds(give_up - absl::Now());
    if (left <= 0) return false;
    if (poll(&wait, 1, static_cast<int>(left)) < 0 && errno != EINTR)
      return false;
    // It may wait for us to read before it reads on.
    if ((wait.revents & ~POLLOUT) != 0 && PQconsumeInput(conn) != 1)
      return false;
  }
  return true;
}

absl::Status Connection::Send(const Exchange& exchange) {
  PGconn* conn = connection_.get();
  for (const Exchange::Item& item : exchange.items_) {
    Prepared& prepared = prepared_[item.sql];
    if (prepared.name.empty())
      prepared.name = absl::StrCat("s", prepared_.size());
    preparing_.push_back(prepared.confirmed ? nullptr : &prepared);
    if (!prepared.confirmed) {
      if (PQsendPrepare(conn, prepared.name.c_str(), item.sql, 0, nullptr) !=
          1) {
        return Lost();
      }
      // Later statements of the same round rely on it; if it fails after all,
      // Receive takes the confirmation back.
      prepared.confirmed = true;
    }
    const int count = static_cast<int>(item.params.size());
    std::vector<const char*> values(count);
    std::vector<int> lengths(count);
    const std::vector<int> formats(count, 1);
    for (int i = 0; i < count; ++i) {
      const auto& value = item.params[static_cast<size_t>(i)];
      values[i] = value.has_value() ? value->data() : nullptr;
      lengths[i] = value.has_value() ? static_cast<int>(value->size()) : 0;
    }
    if (PQsendQueryPrepared(conn, prepared.name.c_str(), count, values.data(),
                            lengths.data(), formats.data(), 1) != 1) {
      return Lost();
    }
    if (std::accumulate(lengths.begin(), lengths.end(), size_t{0}) >
            kLargeParameters &&
        !SendAll(conn, options_.silence_limit)) {
      return Lost();
    }
  }
  if (PQpipelineSync(conn) != 1) return Lost();
  return absl::OkStatus();
}

absl::StatusOr<PGresult*> Connection::NextResult() {
  PGconn* conn = connection_.get();
  const absl::Time give_up = absl::Now() + options_.silence_limit;
  int unsent = PQflush(conn);
  while (unsent == 1 || PQisBusy(conn) != 0) {
    if (unsent < 0) return Lost();
    pollfd wait{PQsocket(conn),
                static_cast<short>(unsent == 1 ? POLLIN | POLLOUT : POLLIN), 0};
    const int64_t left = absl::ToInt64Milliseconds(give_up - absl::Now());
    if (left <= 0) {
      alive_ = false;
      return LostStatus("the server stayed silent for too long");
    }
    if (poll(&wait, 1, static_cast<int>(left)) < 0 && errno != EINTR)
      return Lost();
    if ((wait.revents & ~POLLOUT) != 0 && PQconsumeInput(conn) != 1)
      return Lost();
    unsent = PQflush(conn);
  }
  return PQgetResult(conn);
}

absl::StatusOr<Results> Connection::Receive(const Exchange& exchange) {
  Results results;
  absl::Status failure;
  size_t done = 0;
  const size_t count = exchange.items_.size();
  std::deque<Prepared*> preparing(
      preparing_.begin(),
      preparing_.begin() + static_cast<std::ptrdiff_t>(count));
  preparing_.erase(preparing_.begin(),
                   preparing_.begin() + static_cast<std::ptrdiff_t>(count));
  bool preparing_now = count > 0 && preparing.front() != nullptr;
  while (true) {
    ASSIGN_OR_RETURN(PGresult * raw, NextResult());
    if (raw == nullptr) {
      if (PQstatus(connection_.get()) != CONNECTION_OK) return Lost();
      continue;
    }
    Result result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status == PGRES_PIPELINE_SYNC) break;
    const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good && failure.ok()) {
      failure = status == PGRES_PIPELINE_ABORTED
                    ? absl::AbortedError("an earlier statement failed")
                    : ErrorOf(raw);
    }
    if (done == count) continue;  // an error that follows the last statement
    if (preparing_now) {
      if (!good) preparing[done]->confirmed = false;
      preparing_now = false;
      continue;
    }
    if (good) {
      results.push_back(std::move(result));
    } else if (SqlState(failure) == kNotPrepared) {
      prepared_[exchange.items_[done].sql].confirmed = false;
    }
    ++done;
    preparing_now = done < count && preparing[done] != nullptr;
  }
  if (!failure.ok()) {
    if (ConnectionLost(failure)) alive_ = false;
    return failure;
  }
  return results;
}

std::vector<absl::StatusOr<Results>> Connection::Run(
    std::span<const Exchange> exchanges) {
  std::vector<absl::StatusOr<Results>> all;
  all.reserve(exchanges.size());
  absl::Status lost;
  for (const Exchange& exchange : exchanges) {
    if (lost.ok()) lost = Send(exchange);
  }
  for (const Exchange& exchange : exchanges) {
    if (!lost.ok()) {
      all.push_back(lost);
      continue;
    }
    all.push_back(Receive(exchange));
    if (!all.back().ok() && !alive_) lost = all.back().status();
  }
  return all;
}

absl::StatusOr<Results> Connection::Run(const Exchange& exchange) {
  return std::move(Run(std::span(&exchange, 1)).front());
}

absl::StatusOr<Result> Connection::Run(const Statement& statement,
                                       Params params) {
  Exchange exchange;
  exchange.Add(statement, std::move(params));
  ASSIGN_OR_RETURN(Results results, Run(exchange));
  return std::move(results.front());
}

}  // namespace mtp::db
