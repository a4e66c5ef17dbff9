#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "common/db/connection.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::sync {

// What this side's database knows of the two epochs, and whether the peer's
// states are applied at all (sync.epoch).
struct LinkState {
  int64_t own_epoch = 0;
  int64_t peer_epoch = 0;  // 0: never heard
  // The peer's database was restored and nobody said so.
  bool halted = false;
  // This side takes back from the peer what it lost in a restore.
  bool recovering = false;
  // The highest that the peer told of its epoch, and when by its clock.
  int64_t peer_high_water = 0;
  std::optional<absl::Time> peer_sent_at;
  absl::Time now;  // the database's
};

extern const db::Statement kReadLinkState;
LinkState ReadLinkState(const db::Row& row);

// A sender's number and its time are taken one after the other in one
// statement; those of two processes may cross within less than this. No restore
// is quicker.
inline constexpr absl::Duration kHighWaterMargin = absl::Seconds(2);

// Whether what this peer sends may be looked at.
v1::Refusal RefusalOf(const v1::Sender& sender, const LinkState& link);
v1::Receipt ReceiptFor(const v1::Sender& sender, const LinkState& link);

// Whether a state tells of another past than the copy that is kept: of the same
// version, but from another time, or of an older one, yet later. Then the
// owner's database was restored, went on from an earlier moment, and nobody
// said so. Changes of one past follow each other in time (ChangeAfter,
// common/base/clock.h); the margin is for those of services that did not see to
// it yet, whose clocks differed.
inline constexpr absl::Duration kForkMargin = absl::Seconds(10);
struct KeptStamp {
  int64_t epoch = 0;
  int64_t version = 0;
  std::optional<absl::Time> changed_at;

  void To(v1::Stamp* proto) const;
};
bool Forked(const v1::Stamp& told, const KeptStamp& kept);

// The statement that fills a Sender, without its high water: the relay knows
// one.
extern const db::Statement kReadSender;
v1::Sender ReadSender(const db::Row& row, common::v1::Side side,
                      std::string_view instance);

}  // namespace mtp::sync
