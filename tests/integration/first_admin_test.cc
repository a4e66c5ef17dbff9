#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "absl/strings/match.h"
#include "tests/support/cluster.h"
#include "tests/support/people.h"
#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

// A database without a service, and the command on it.
struct Office {
  const std::string database =
      Cluster::Shared().NewDatabase(common::v1::SIDE_ORDER);
  const Sql owner{Cluster::Shared().Conninfo(database, "mtp_owner")};

  Outcome FirstAdmin(const std::string& username) const {
    return Run({MTP_BINARY_DIR "/order_service", "first-admin", "--username",
                username, "--database",
                Cluster::Shared().Conninfo(database, "mtp_app")});
  }
  std::string Admins() const {
    return owner.Text(
        "SELECT coalesce(string_agg(username, ' ' ORDER BY username), '') FROM "
        "admin.user_account WHERE role = 'MASTER_ADMIN' AND NOT disabled");
  }
  void Disable(const std::string& username) const {
    owner.Query(
        "UPDATE admin.user_account SET disabled = true, disabled_at = now() "
        "WHERE username = $1",
        {username});
  }
};

TEST_CASE("the first administrator is made by a command, once") {
  const Office office;
  // Holds both up in the middle, so that each has found nobody if it may.
  auto hold = std::make_unique<Draft>(
      Cluster::Shared().Conninfo(office.database, "mtp_owner"));
  hold->Do(
      "INSERT INTO admin.first_admin (subject) VALUES (gen_random_uuid())");
  bool both_waited = false;
  std::vector<int> codes(2);
  AtOnce(3, [&](int i) {
    if (i < 2) {
      codes[static_cast<size_t>(i)] =
          office.FirstAdmin("admin" + std::to_string(i)).exit_code;
      return;
    }
    both_waited = Eventually([&] {
      return Cluster::Shared().Superuser().Number(
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND "
                 "application_name = 'order_service first-admin' AND "
                 "wait_event_type = 'Lock'",
                 {office.database}) == 2;
    });
    hold.reset();
  });
  CHECK(both_waited);
  CHECK(std::count(codes.begin(), codes.end(), 0) == 1);
  CHECK(office.owner.Number("SELECT count(*) FROM admin.user_account") == 1);
  CHECK(office.owner.Number(
            "SELECT count(*) FROM audit.entry WHERE caller = 'first-admin'") ==
        1);
  // A lock ends by itself.
  office.owner.Query(
      "UPDATE admin.user_account SET locked_until = now() + interval '15 min'");
  const Outcome again = office.FirstAdmin("another");
  CHECK(again.exit_code == 1);
  CHECK(absl::StrContains(again.output, "there is a MASTER_ADMIN"));
}

TEST_CASE("where all who administer are disabled, another one can be made") {
  const Office office;
  REQUIRE(office.FirstAdmin("kamala").exit_code == 0);
  office.Disable("kamala");
  REQUIRE(office.Admins().empty());
  const Outcome taken = office.FirstAdmin("Kamala");
  CHECK(taken.exit_code == 1);
  CHECK(absl::StrContains(taken.output, "another user has this username"));

  CHECK(office.FirstAdmin("nimal").exit_code == 0);
  CHECK(office.Admins() == "nimal");
  CHECK(office.owner.Text("SELECT must_change_password FROM "
                          "admin.user_account WHERE username = 'nimal'") ==
        "t");
  CHECK(office.owner.Number(
            "SELECT count(*) FROM audit.entry WHERE caller = 'first-admin'") ==
        2);
  CHECK(office.FirstAdmin("third").exit_code == 1);
}

}  // namespace
}  // namespace mtp::tests
