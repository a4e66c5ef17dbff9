#include "common/sync/link_state.h"

#include <catch2/catch.hpp>

#include "common/base/protos.h"
#include "order_service/schedule_rows.h"
#include "order_service/shipment_rows.h"
#include "processing_service/schedule_rows.h"
#include "processing_service/shipment_rows.h"

namespace mtp::sync {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'800'000'000);

v1::Sender SenderOf(int64_t epoch, int64_t high_water, absl::Time sent_at) {
  v1::Sender sender;
  sender.set_epoch(epoch);
  sender.set_high_water(high_water);
  *sender.mutable_sent_at() = ToProto(sent_at);
  return sender;
}

TEST_CASE("a sender is heard unless its database fell back") {
  LinkState link{.own_epoch = 1,
                 .peer_epoch = 2,
                 .peer_high_water = 1000,
                 .peer_sent_at = kNoon};
  const absl::Time later = kNoon + absl::Seconds(3);
  CHECK(RefusalOf(SenderOf(2, 1000, later), link) == v1::REFUSAL_UNSPECIFIED);
  CHECK(RefusalOf(SenderOf(2, 1001, later), link) == v1::REFUSAL_UNSPECIFIED);
  CHECK(RefusalOf(SenderOf(2, 999, later), link) ==
        v1::REFUSAL_VERSIONS_FELL_BACK);
  // Who only asks.
  CHECK(RefusalOf(SenderOf(2, 0, later), link) == v1::REFUSAL_UNSPECIFIED);
  // Two relays whose claims crossed.
  CHECK(RefusalOf(SenderOf(2, 999, kNoon + absl::Seconds(1)), link) ==
        v1::REFUSAL_UNSPECIFIED);
  // A message that was on its way for long.
  CHECK(RefusalOf(SenderOf(2, 999, kNoon - absl::Seconds(1)), link) ==
        v1::REFUSAL_UNSPECIFIED);
  CHECK(RefusalOf(SenderOf(1, 2000, later), link) ==
        v1::REFUSAL_EPOCH_SUPERSEDED);
  // A raised epoch begins anew.
  CHECK(RefusalOf(SenderOf(3, 1, later), link) == v1::REFUSAL_UNSPECIFIED);
  link.halted = true;
  CHECK(RefusalOf(SenderOf(2, 2000, later), link) ==
        v1::REFUSAL_VERSIONS_FELL_BACK);
  CHECK(RefusalOf(SenderOf(3, 1, later), link) == v1::REFUSAL_UNSPECIFIED);
  link.recovering = true;
  CHECK(RefusalOf(SenderOf(3, 1, later), link) ==
        v1::REFUSAL_RECEIVER_RECOVERING);
}

TEST_CASE("a peer that was never heard is heard") {
  CHECK(RefusalOf(SenderOf(1, 5, kNoon), LinkState{.own_epoch = 1}) ==
        v1::REFUSAL_UNSPECIFIED);
}

TEST_CASE("two pasts of one thing are told by its versions and times") {
  const auto stamp = [](int64_t epoch, int64_t version, absl::Time changed_at) {
    v1::Stamp stamp;
    stamp.set_epoch(epoch);
    stamp.set_version(version);
    *stamp.mutable_changed_at() = ToProto(changed_at);
    return stamp;
  };
  const KeptStamp kept{.epoch = 1, .version = 5, .changed_at = kNoon};
  const absl::Time much_later = kNoon + absl::Minutes(1);
  CHECK(Forked(stamp(1, 4, much_later), kept));
  CHECK(Forked(stamp(1, 5, much_later), kept));
  CHECK(Forked(stamp(1, 5, kNoon - absl::Milliseconds(1)), kept));
  // A newer version; a duplicate; an older one, late; clocks that differ.
  CHECK_FALSE(Forked(stamp(1, 6, much_later), kept));
  CHECK_FALSE(Forked(stamp(1, 5, kNoon), kept));
  CHECK_FALSE(Forked(stamp(1, 4, kNoon - absl::Minutes(1)), kept));
  CHECK_FALSE(Forked(stamp(1, 4, kNoon + absl::Seconds(1)), kept));
  // Another epoch says itself what it is.
  CHECK_FALSE(Forked(stamp(2, 1, much_later), kept));
  CHECK_FALSE(Forked(stamp(1, 4, much_later), {.epoch = 1, .version = 5}));
  CHECK_FALSE(Forked(v1::Stamp(), kept));
}

// Twice at one moment, and under a clock that is behind: each is later, as
// Forked wants it.
template <typename Thing>
void LooksAtItsChanges(Thing thing, void (*change)(Thing&, absl::Time)) {
  thing.changed_at = kNoon;
  const int64_t first = thing.version;
  absl::Time before = kNoon;
  for (const absl::Duration clock :
       {absl::Minutes(1), absl::Minutes(1), -absl::Minutes(1)}) {
    change(thing, kNoon + clock);
    CHECK(thing.changed_at > before);
    before = thing.changed_at;
  }
  CHECK(thing.changed_at < kNoon + absl::Minutes(2));
  CHECK(thing.version == first + 3);
}

TEST_CASE("a newer version is the later one, whatever the clock says") {
  const auto changed = [](auto& thing, absl::Time now) { thing.Changed(now); };
  LooksAtItsChanges<order::Shipment>({}, changed);
  LooksAtItsChanges<order::Schedule>({}, changed);
  LooksAtItsChanges<processing::Shipment>({}, changed);
  LooksAtItsChanges<processing::Schedule>(
      {}, [](processing::Schedule& schedule, absl::Time now) {
        schedule.CountParcel(1, 1, now);
      });
}

}  // namespace
}  // namespace mtp::sync
