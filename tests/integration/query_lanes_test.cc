#include <atomic>
#include <catch2/catch.hpp>

#include "common/handlers/queries.h"
#include "mtp/common/v1/common.pb.h"
#include "tests/support/cluster.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using handlers::QueryLanes;
using handlers::Reach;

constexpr db::Statement kRow{"SELECT 1::bigint"};
// Until whoever holds the lock lets it go.
constexpr db::Statement kWaits{"SELECT pg_advisory_xact_lock_shared(1)"};

QueryLanes::Options LanesOf(const std::string& database) {
  QueryLanes::Options options;
  options.database.conninfo = Cluster::Shared().Conninfo(database, "mtp_app");
  options.lanes = 1;
  options.search_lanes = 1;
  options.waiting_limit = 100;
  return options;
}

db::Exchange One(const db::Statement& statement) {
  db::Exchange exchange;
  exchange.Add(statement);
  return exchange;
}

TEST_CASE("who reads a row waits for no search") {
  const std::string database =
      Cluster::Shared().NewDatabase(common::v1::SIDE_PROCESSING);
  db::Connection::Options holder_options;
  holder_options.conninfo = Cluster::Shared().Conninfo(database, "mtp_app");
  auto holder = db::Connection::Open(holder_options);
  REQUIRE(holder.ok());
  REQUIRE((*holder)->Run(db::Statement{"SELECT pg_advisory_lock(1)"}).ok());

  std::atomic<int> searches = 0;
  std::atomic<bool> row = false;
  std::atomic<int> unwanted = 0;
  {
    QueryLanes lanes(LanesOf(database));
    const absl::Time deadline = absl::Now() + absl::Minutes(1);
    for (int i = 0; i < 10; ++i) {
      lanes.Ask(
          One(kWaits), deadline,
          [&](absl::StatusOr<db::Results> results) {
            if (results.ok()) ++searches;
          },
          Reach::kTable);
    }
    // By the time it is its turn, nobody waits for it any more.
    lanes.Ask(
        One(kWaits), deadline,
        [&](absl::StatusOr<db::Results> results) {
          if (absl::IsCancelled(results.status())) ++unwanted;
        },
        Reach::kTable, [] { return true; });
    lanes.Ask(One(kRow), deadline,
              [&](absl::StatusOr<db::Results> results) { row = results.ok(); });
    CHECK(Eventually([&] { return row.load(); }));
    CHECK(searches == 0);
    REQUIRE((*holder)->Run(db::Statement{"SELECT pg_advisory_unlock(1)"}).ok());
  }
  CHECK(searches == 10);
  CHECK(unwanted == 1);
}

TEST_CASE("a query for which there is no room is sent away at once") {
  const std::string database =
      Cluster::Shared().NewDatabase(common::v1::SIDE_PROCESSING);
  db::Connection::Options holder_options;
  holder_options.conninfo = Cluster::Shared().Conninfo(database, "mtp_app");
  auto holder = db::Connection::Open(holder_options);
  REQUIRE(holder.ok());
  REQUIRE((*holder)->Run(db::Statement{"SELECT pg_advisory_lock(1)"}).ok());

  std::atomic<int> refused = 0;
  std::atomic<int> answered = 0;
  {
    QueryLanes lanes(LanesOf(database));
    // One is under way, a hundred wait, and one may have been taken between.
    for (int i = 0; i < 103; ++i) {
      lanes.Ask(
          One(kWaits), absl::Now() + absl::Minutes(1),
          [&](absl::StatusOr<db::Results> results) {
            if (results.ok()) ++answered;
            if (absl::IsResourceExhausted(results.status())) ++refused;
          },
          Reach::kTable);
    }
    CHECK(refused >= 2);
    REQUIRE((*holder)->Run(db::Statement{"SELECT pg_advisory_unlock(1)"}).ok());
  }
  CHECK(answered + refused == 103);
}

}  // namespace
}  // namespace mtp::tests
