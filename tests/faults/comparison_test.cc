#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "mtp/ops/v1/operations.pb.h"
#include "tests/faults/workload.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

TEST_CASE("what is told while a comparison reads is no difference",
          "[comparison]") {
  // From the own states to the peer's a comparison takes so long that news of
  // the same things are told in between.
  Stack stack({.test_points = true,
               .environment = {"MTP_PAUSE_AT=reconcile.own_states_read:200"}});
  Book book;
  Floor floor(stack, book);
  Workload workload(stack, floor, book, 1);
  REQUIRE(Eventually([&] { return book.deeds().size() > 200; }));
  for (int i = 0; i < 3; ++i) {
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
      ops::v1::ReconcileRequest request;
      request.set_request_id(NewRequestId());
      const auto compared =
          stack.As(options::v1::ROLE_MASTER_ADMIN, side)
              .Call<ops::v1::ReconcileResponse>(
                  "mtp.ops.v1.OperationsService/Reconcile", request);
      INFO(compared.status().ToString());
      CHECK(compared.ok());
    }
  }
  workload.Stop();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(ToText(stack.Database(side).Query(
              "SELECT kind, key, cause, differences FROM sync.drift")) == "");
    CHECK(absl::StrContains(stack.Log(side), "pause at"));
  }
  RequireAgreement(stack);
}

}  // namespace
}  // namespace mtp::tests
