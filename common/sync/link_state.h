#pragma once

#include <optional>

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

// Whether what this peer sends may be looked at.
v1::Refusal RefusalOf(const v1::Sender& sender, const LinkState& link);
v1::Receipt ReceiptFor(const v1::Sender& sender, const LinkState& link);

// The statement that fills a Sender: own epoch, high water, now. The end of
// what was flushed of the WAL rises with every change and falls only by a
// restore, not by a crash.
extern const db::Statement kReadSender;
v1::Sender ReadSender(const db::Row& row, common::v1::Side side,
                      std::string_view instance);

}  // namespace mtp::sync
