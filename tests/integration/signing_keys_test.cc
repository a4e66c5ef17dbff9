#include "order_service/signing_keys.h"

#include <catch2/catch.hpp>

#include "tests/support/cluster.h"

namespace mtp::tests {
namespace {

// A database without a service, in which the test keeps keys.
struct KeyRoom {
  const std::string database =
      Cluster::Shared().NewDatabase(common::v1::SIDE_ORDER);
  const Sql owner{Cluster::Shared().Conninfo(database, "mtp_owner")};
  rpc::TokenKeyBoard board;
  std::vector<std::string> sealed;  // as the log says

  absl::StatusOr<std::unique_ptr<order::SigningKeys>> Open(
      const std::string& secret) {
    return order::SigningKeys::Open(
        {.database = {.conninfo =
                          Cluster::Shared().Conninfo(database, "mtp_app")},
         .schedule = {},
         .secret = secret,
         .board = &board,
         .poll = absl::Hours(1),
         .log_failure = {},
         .log_made = {},
         .log_sealed = [this](const std::string& id) {
           sealed.push_back(id);
         }});
  }
  int64_t Readable() const {
    return owner.Number(
        "SELECT count(*) FROM admin.signing_key WHERE "
        "position('PRIVATE'::bytea IN private_key) > 0");
  }
};

TEST_CASE("with a secret no signing key stays readable in the database") {
  KeyRoom room;
  const std::string secret(32, 's');
  std::string key_id;
  {
    const auto without = room.Open("");
    REQUIRE(without.ok());
    key_id = (*without)->Published().at(0).kid();
  }
  REQUIRE(room.Readable() == 1);
  REQUIRE(room.sealed.empty());
  {
    const auto with = room.Open(secret);
    REQUIRE(with.ok());
    CHECK(room.Readable() == 0);
    // The same key goes on: nobody is signed out.
    REQUIRE((*with)->Published().size() == 1);
    CHECK((*with)->Published()[0].kid() == key_id);
    CHECK((*with)
              ->Sign({.subject = "01900000-0000-7000-8000-000000000001",
                      .issued_at = absl::Now()})
              .ok());
  }
  CHECK(room.sealed == std::vector<std::string>{key_id});
  CHECK(room.Open(secret).ok());
  CHECK(room.sealed.size() == 1);
  CHECK_FALSE(room.Open("").ok());
}

}  // namespace
}  // namespace mtp::tests
