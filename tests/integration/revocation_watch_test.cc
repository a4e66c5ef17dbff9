#include "common/sync/revocation_watch.h"

#include <catch2/catch.hpp>

#include "processing_service/revocations.h"
#include "tests/support/cluster.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

TEST_CASE("a replica whose clock is ahead hides nobody's revocation") {
  const std::string database =
      Cluster::Shared().NewDatabase(common::v1::SIDE_PROCESSING);
  const Sql owner(Cluster::Shared().Conninfo(database, "mtp_owner"));
  const auto hear = [&](const std::string& subject, const std::string& when) {
    owner.Query(
        "INSERT INTO revoked_user (subject, disabled, revoked_before, "
        "order_epoch, order_version, heard_at) VALUES ($1::uuid, true, now(), "
        "1, 1, now() + $2::interval)",
        {subject, when});
  };
  const std::string ahead = "01900000-0000-7000-8000-000000000001";
  const std::string in_time = "01900000-0000-7000-8000-000000000002";
  rpc::Revocations revocations;
  const auto watch = sync::RevocationWatch::Open(
      {.database = {.conninfo =
                        Cluster::Shared().Conninfo(database, "mtp_app")},
       .changed = processing::kRevocationsHeard,
       .revocations = &revocations,
       .poll = absl::Milliseconds(5),
       .log_failure = {}});
  REQUIRE(watch.ok());
  const auto seen = [&](const std::string& subject) {
    return Eventually([&] { return revocations.Revoked(subject, absl::Now()); },
                      absl::Seconds(5));
  };
  hear(ahead, "3 minutes");
  REQUIRE(seen(ahead));
  hear(in_time, "0");
  CHECK(seen(in_time));
}

}  // namespace
}  // namespace mtp::tests
