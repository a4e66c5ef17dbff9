#pragma once

#include <optional>
#include <tuple>

#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/db/table.h"

namespace mtp::processing {

// Somebody whose tokens are refused, as Grandpass told it.
struct RevokedUser {
  using Key = Uuid;

  Uuid subject;
  bool disabled = false;
  absl::Time revoked_before;
  int64_t order_epoch = 0;
  int64_t order_version = 0;
  std::optional<absl::Time> order_changed_at;
  absl::Time heard_at;

  Key key() const { return subject; }

  static const db::Statement kLoad;
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded =
      std::tuple(&RevokedUser::subject, &RevokedUser::disabled,
                 &RevokedUser::revoked_before, &RevokedUser::order_epoch,
                 &RevokedUser::order_version, &RevokedUser::order_changed_at,
                 &RevokedUser::heard_at);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated = kLoaded;
};

}  // namespace mtp::processing
