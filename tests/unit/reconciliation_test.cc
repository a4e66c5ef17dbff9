#include <catch2/catch.hpp>

#include "common/base/protos.h"
#include "common/reconciliation/differences.h"
#include "common/reconciliation/facts.h"

namespace mtp::reconciliation {
namespace {

using sync::v1::State;

State Progress() {
  State state;
  auto& progress = *state.mutable_shipment_progress();
  progress.mutable_stamp()->set_epoch(1);
  progress.mutable_stamp()->set_version(3);
  progress.mutable_key()->set_request_code(17);
  progress.mutable_key()->set_shipment_code(1);
  progress.set_allocated_grams(500'000);
  progress.mutable_dispatch()->set_shipment_vehicle("WP-1234");
  progress.mutable_dispatch()->mutable_dispatched_at()->set_seconds(60);
  return state;
}

TEST_CASE("a digest is of what a state says, not of when it was told") {
  const State state = Progress();
  CHECK(KeyOf(state) == "17/1");
  State other = state;
  StampOf(other).set_version(9);
  StampOf(other).set_epoch(2);
  CHECK(ContentDigest(other) == ContentDigest(state));
  other.mutable_shipment_progress()->set_allocated_grams(1);
  CHECK(ContentDigest(other) != ContentDigest(state));
  CHECK(ContentDigest(state).size() == 32);
}

TEST_CASE("a versioned digest is of the version and time of change, too") {
  const State state = Progress();
  State other = state;
  StampOf(other).set_epoch(9);
  StampOf(other).add_correlation_ids("another");
  CHECK(VersionedDigest(other) == VersionedDigest(state));
  StampOf(other).set_version(StampOf(state).version() + 1);
  CHECK(VersionedDigest(other) != VersionedDigest(state));
  other = state;
  StampOf(other).mutable_changed_at()->set_seconds(1);
  CHECK(VersionedDigest(other) != VersionedDigest(state));
  other = state;
  other.mutable_shipment_progress()->set_allocated_grams(1);
  CHECK(VersionedDigest(other) != VersionedDigest(state));
}

TEST_CASE("keys are in buckets as the contract says") {
  // The first four bytes of the SHA-256 of "17/1" and of "5", big end first.
  CHECK(BucketOf("17/1", int64_t{1} << 32) == 0xec382349);
  CHECK(BucketOf("5", int64_t{1} << 32) == 0xef2d127d);
  CHECK(BucketOf("5", 1024) == 0xef2d127d % 1024);
}

TEST_CASE("differences name the fields and what each side says") {
  const State owner = Progress();
  State copy = owner;
  StampOf(copy).set_version(1);
  REQUIRE(Differences(owner, copy).size() == 1);
  CHECK(Differences(owner, copy).front().field() == "stamp.version");
  auto& progress = *copy.mutable_shipment_progress();
  progress.mutable_dispatch()->set_shipment_vehicle("XX-0");
  progress.mutable_dispatch()->mutable_dispatched_at()->set_seconds(120);
  const auto found = Differences(owner, copy);
  REQUIRE(found.size() == 2);
  CHECK(found[0].field() == "dispatch.dispatched_at");
  CHECK(found[0].owner_value() == "1970-01-01T00:01:00+00:00");
  CHECK(found[0].copy_value() == "1970-01-01T00:02:00+00:00");
  CHECK(found[1].field() == "dispatch.shipment_vehicle");
  CHECK(found[1].owner_value() == "WP-1234");
  CHECK(found[1].copy_value() == "XX-0");
  progress.clear_dispatch();
  CHECK(Differences(owner, copy)[0].field() == "dispatch");
}

TEST_CASE("a list of many bags is told by its beginning") {
  State owner;
  auto& accepted = *owner.mutable_shipment()->mutable_accepted();
  for (int i = 0; i < 12; ++i)
    accepted.add_missing_barcodes(std::string(1, 'a' + i));
  const auto found = Differences(owner, State());
  REQUIRE(found.size() == 2);
  CHECK(found[1].owner_value() == "a b c d e f g h i j … 12 in all");
}

}  // namespace
}  // namespace mtp::reconciliation
