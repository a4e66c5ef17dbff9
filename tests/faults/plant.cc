#include "tests/faults/plant.h"

#include <catch2/catch.hpp>
#include <map>

#include "absl/time/clock.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {

using namespace ops::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_MASTER_ADMIN;

Plant::Plant(std::vector<std::string> environment)
    : stack({.cluster = &order,
             .processing_cluster = &processing,
             .test_points = !environment.empty(),
             .environment = std::move(environment)}) {}

std::string Plant::BackUp(Side side) {
  RequireAgreement(stack);
  Of(side).BackUp();
  return Now(side);
}

std::string Plant::Now(Side side) {
  absl::SleepFor(absl::Milliseconds(20));
  const std::string now =
      Of(side).Superuser().Text("SELECT clock_timestamp()::text");
  absl::SleepFor(absl::Milliseconds(20));
  return now;
}

SyncStatus Plant::Status(Side side) const {
  const auto response = stack.As(ROLE_MASTER_ADMIN, side)
                            .Call<GetSyncStatusResponse>(
                                "mtp.ops.v1.OperationsService/GetSyncStatus",
                                GetSyncStatusRequest());
  return response.ok() ? response->status() : SyncStatus();
}

void Plant::Restore(Side side, const std::string& moment) {
  Of(side).RestoreTo(moment);
  REQUIRE(Eventually([&] { return Status(side).epoch() == 1; }));
  // A restore takes longer than news may be late (kHighWaterMargin); this one
  // did not.
  REQUIRE(Eventually([&] {
    return stack.Database(PeerOf(side))
               .Text(
                   "SELECT coalesce(peer_sent_at, '-infinity') + interval "
                   "'3 s' < clock_timestamp() FROM sync.epoch") == "t";
  }));
}

absl::StatusOr<StartEpochResponse> Plant::StartEpoch(
    Side side, int64_t current, const std::string& request_id) const {
  StartEpochRequest request;
  request.set_request_id(request_id);
  request.set_current_epoch(current);
  request.set_reason("the disk failed; restored from last night's backup");
  return stack.As(ROLE_MASTER_ADMIN, side)
      .Call<StartEpochResponse>("mtp.ops.v1.OperationsService/StartEpoch",
                                request);
}

void Plant::Recover(const std::vector<Side>& restored) const {
  std::map<Side, int64_t> epochs;
  for (const Side side : restored) {
    REQUIRE(Eventually([&] { return Status(side).peer_reachable(); }));
    const int64_t lost = Status(side).epoch();
    const std::string request_id = NewRequestId();
    // Asked twice, it is begun once.
    for (int i = 0; i < 2; ++i) {
      const auto started = StartEpoch(side, lost, request_id);
      INFO(started.status().ToString());
      REQUIRE(started.ok());
      epochs[side] = started->epoch();
      CHECK(started->epoch() == lost + 1);
    }
  }
  for (const Side side : restored) {
    const bool done = Eventually([&] {
      const SyncStatus status = Status(side);
      return status.epoch() >= epochs[side] && !status.recovering();
    });
    INFO(stack.Log(side));
    REQUIRE(done);
  }
  RequireAgreement(stack);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(ToText(stack.Database(side).Query(
              "SELECT kind, key, reason, message FROM sync.dead_letter WHERE "
              "settlement = 'OPEN'")) == "");
  }
}

std::string Plant::Exceptions(Side side) const {
  return ToText(stack.Database(side).Query(
      "SELECT kind, things[1] FROM sync.exception WHERE closed_at IS NULL "
      "ORDER BY 1, 2"));
}

}  // namespace mtp::tests
