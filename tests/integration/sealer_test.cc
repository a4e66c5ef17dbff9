#include "common/seals/sealer.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/db/connection.h"
#include "tests/integration/sealing.h"
#include "tests/support/client.h"
#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using common::v1::SIDE_ORDER;

// A database without a service, whose trail the test writes.
struct Trail {
  const std::string database = Cluster::Shared().NewDatabase(SIDE_ORDER);
  const Sql owner{Cluster::Shared().Conninfo(database, "mtp_owner")};
  const std::string conninfo = Cluster::Shared().Conninfo(database, "mtp_app");

  std::unique_ptr<db::Connection> Connect() const {
    return db::Connection::Open({.conninfo = conninfo}).value();
  }
  seals::Sealer::Options Options() const { return QuickSealer(conninfo); }
  int64_t Seals() const {
    return owner.Number("SELECT count(*) FROM audit.seal");
  }
  int64_t Sealed() const {
    return owner.Number(
        "SELECT coalesce(sum(entry_count), 0)::bigint FROM audit.seal");
  }
  int64_t Entries() const {
    return owner.Number("SELECT count(*) FROM audit.entry");
  }
};

constexpr db::Statement kBegin{"BEGIN"};
constexpr db::Statement kCommit{"COMMIT"};
constexpr db::Statement kRollback{"ROLLBACK"};
constexpr db::Statement kWrite{
    "INSERT INTO audit.entry (caller, method, entity_kind, entity_key, action) "
    "VALUES ('somebody', 'some.method', 'bag', '1', 'moved')"};

void Do(db::Connection& connection, const db::Statement& statement) {
  const absl::Status status = connection.Run(statement).status();
  INFO(status.ToString());
  REQUIRE(status.ok());
}

// What docs/audit.md gives to auditors.
std::string AuditorsQuery() {
  const std::string text = ReadFile(MTP_SOURCE_DIR "/docs/audit.md");
  const std::string begin = "```sql\n";
  const size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  return text.substr(
      from + begin.size(),
      text.find("```", from + begin.size()) - from - begin.size());
}

// Every seal holds, by the auditor's account.
void RequireChain(const Trail& trail) {
  const Sql::Rows rows = trail.owner.Query(AuditorsQuery());
  CHECK(static_cast<int64_t>(rows.size()) == trail.Seals());
  for (size_t i = 0; i < rows.size(); ++i) {
    INFO(ToText({rows[i]}));
    CHECK(rows[i] ==
          std::vector<std::string>{absl::StrCat(i + 1), "t", "t", "t"});
  }
}

TEST_CASE(
    "a seal waits for who may still write below it, and for nobody else") {
  const Trail trail;
  const auto early = trail.Connect();
  const auto late = trail.Connect();
  Do(*early, kBegin);
  Do(*early, kWrite);  // takes 1
  Do(*late, kWrite);   // takes 2, and is there

  std::atomic<int> held_up = 0;
  seals::Sealer::Options options = trail.Options();
  options.held_up_after = absl::ZeroDuration();
  options.observer.held_up = [&](absl::Duration, size_t transactions) {
    held_up = static_cast<int>(transactions);
  };
  const seals::Sealer sealer(std::move(options));
  REQUIRE(Eventually([&] { return held_up == 1; }));
  CHECK(trail.Seals() == 0);

  // One that comes now writes above the seal, and may stay.
  const auto later = trail.Connect();
  Do(*later, kBegin);
  Do(*later, kWrite);
  int64_t covered = 0;
  SECTION("it is covered when it is there") {
    Do(*early, kCommit);
    covered = 2;
  }
  SECTION("what it did not write is not missed") {
    Do(*early, kRollback);
    covered = 1;
  }
  CHECK(Eventually([&] { return trail.Sealed() == covered; }));
  CHECK(trail.owner.Number("SELECT last_entry_id FROM audit.seal") == 2);
  Do(*later, kCommit);
  CHECK(Eventually([&] { return trail.Sealed() == covered + 1; }));
  RequireChain(trail);
}

TEST_CASE("a seal waits for a writer that has no transaction id yet") {
  const Trail trail;
  const auto first = trail.Connect();
  // The sequence logs its numbers in advance; only then does it ask for an id.
  Do(*first, kWrite);
  const auto gate = trail.Connect();
  static constexpr db::Statement kShut{"SELECT pg_advisory_lock(7)"};
  static constexpr db::Statement kOpen{"SELECT pg_advisory_unlock(7)"};
  // Takes its number, then waits at the gate.
  static constexpr db::Statement kSlowWrite{
      "INSERT INTO audit.entry (caller, method, entity_kind, entity_key, "
      "action) VALUES ('somebody', 'some.method', 'bag', "
      "(SELECT CASE WHEN pg_advisory_xact_lock_shared(7) IS NULL THEN '1' ELSE "
      "'2' END), 'moved')"};
  Do(*gate, kShut);
  std::thread slow([&] {
    const auto connection = trail.Connect();
    connection->Run(kSlowWrite).status().IgnoreError();
  });
  const Sql superuser = Cluster::Shared().Superuser();
  CHECK(Eventually([&] {
    return superuser.Number(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND "
               "wait_event = 'advisory' AND backend_xid IS NULL",
               {trail.database}) == 1;
  }));
  Do(*first, kWrite);  // above it

  std::atomic<bool> held_up = false;
  seals::Sealer::Options options = trail.Options();
  options.held_up_after = absl::ZeroDuration();
  options.observer.held_up = [&](absl::Duration, size_t) { held_up = true; };
  const seals::Sealer sealer(std::move(options));
  CHECK(Eventually([&] { return held_up.load(); }));
  CHECK(trail.Seals() == 0);
  Do(*gate, kOpen);
  slow.join();
  CHECK(Eventually([&] { return trail.Sealed() == 3; }));
  CHECK(trail.Seals() == 1);
  RequireChain(trail);
}

TEST_CASE("two replicas that seal while many write cover each entry once") {
  const Trail trail;
  std::atomic<int> failures = 0;
  std::atomic<int> sealed = 0;
  std::vector<std::unique_ptr<seals::Sealer>> sealers;
  for (int i = 0; i < 2; ++i) {
    seals::Sealer::Options options = trail.Options();
    options.entry_limit = 50;
    options.observer.sealed = [&](const seals::Seal&) { ++sealed; };
    options.observer.failed = [&](const absl::Status&) { ++failures; };
    sealers.push_back(std::make_unique<seals::Sealer>(std::move(options)));
  }
  constexpr int kWriters = 6;
  constexpr int kRounds = 100;
  AtOnce(kWriters, [&](int writer) {
    const auto connection = trail.Connect();
    for (int round = 0; round < kRounds; ++round) {
      connection->Run(kBegin).status().IgnoreError();
      for (int i = 0; i <= writer; ++i)
        connection->Run(kWrite).status().IgnoreError();
      connection->Run(round % 5 == 4 ? kRollback : kCommit)
          .status()
          .IgnoreError();
    }
  });
  const int64_t written = trail.Entries();
  CHECK(written == kRounds * 4 / 5 * (1 + 2 + 3 + 4 + 5 + 6));
  CHECK(Eventually([&] { return trail.Sealed() == written; }));
  sealers.clear();
  CHECK(trail.Sealed() == written);
  CHECK(trail.Seals() == sealed);
  CHECK(trail.Seals() > written / 50);
  CHECK(failures == 0);
  CHECK(trail.owner.Number("SELECT max(entry_count) FROM audit.seal") <= 50);
  // Each is marked for the other side.
  CHECK(trail.owner.Number(
            "SELECT count(*) FROM sync.outbox JOIN audit.seal ON key = "
            "seal_number::text WHERE kind = 'seal' AND version = 1") ==
        trail.Seals());
  RequireChain(trail);
}

TEST_CASE("a trail without new entries is not sealed again") {
  const Trail trail;
  std::atomic<int> looks = 0;
  seals::Sealer::Options options = trail.Options();
  options.observer.looked = [&](absl::Duration) { ++looks; };
  const seals::Sealer sealer(std::move(options));
  REQUIRE(Eventually([&] { return looks > 3; }));
  CHECK(trail.Seals() == 0);
  Do(*trail.Connect(), kWrite);
  REQUIRE(Eventually([&] { return trail.Seals() == 1; }));
  const int before = looks;
  REQUIRE(Eventually([&] { return looks > before + 3; }));
  CHECK(trail.Seals() == 1);
}

TEST_CASE("between two seals the interval passes, unless enough entries wait") {
  const Trail trail;
  const auto connection = trail.Connect();
  std::atomic<int> looks = 0;
  seals::Sealer::Options options = trail.Options();
  options.interval = absl::Hours(1);
  options.enough_entries = 3;
  options.observer.looked = [&](absl::Duration) { ++looks; };
  const seals::Sealer sealer(std::move(options));
  Do(*connection, kWrite);
  REQUIRE(Eventually([&] { return trail.Seals() == 1; }));
  Do(*connection, kWrite);
  Do(*connection, kWrite);
  const int before = looks;
  REQUIRE(Eventually([&] { return looks > before + 3; }));
  CHECK(trail.Seals() == 1);
  Do(*connection, kWrite);
  CHECK(Eventually([&] { return trail.Sealed() == 4; }));
  CHECK(trail.Seals() == 2);
}

TEST_CASE("sealing goes on when the database was away") {
  const Trail trail;
  const auto connection = trail.Connect();
  std::atomic<int> failures = 0;
  seals::Sealer::Options options = trail.Options();
  options.database.application_name = "the sealer";
  options.observer.failed = [&](const absl::Status&) { ++failures; };
  const seals::Sealer sealer(std::move(options));
  Do(*connection, kWrite);
  REQUIRE(Eventually([&] { return trail.Seals() == 1; }));
  Cluster::Shared().Superuser().Query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
      "$1 AND application_name = 'the sealer'",
      {trail.database});
  CHECK(Eventually([&] { return failures > 0; }));
  Do(*connection, kWrite);
  CHECK(Eventually([&] { return trail.Sealed() == 2; }));
}

// The digest names the columns: a new one must be added to it (as of a new
// version of the seals), or nobody notices when it is altered.
TEST_CASE("a seal covers every column of an entry") {
  const Trail trail;
  CHECK(trail.owner.Text(
            "SELECT string_agg(attname, ' ' ORDER BY attname) FROM "
            "pg_attribute WHERE attrelid = 'audit.entry'::regclass AND attnum "
            "> 0 AND NOT attisdropped") ==
        "action caller change correlation_id entity_key entity_kind entry_id "
        "method occurred_at recorded_at remarks remote_address request_id role "
        "username");
  // And numbers are handed out one by one: a session that keeps some would use
  // them below what is sealed.
  CHECK(trail.owner.Number("SELECT seqcache FROM pg_sequence WHERE seqrelid = "
                           "'audit.entry_entry_id_seq'::regclass") == 1);
}

}  // namespace
}  // namespace mtp::tests
