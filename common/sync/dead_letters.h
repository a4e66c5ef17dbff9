#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::sync {

// A state of the peer that could not be applied, as it came. A thing has one at
// most; that of a later state takes its place.
struct DeadLetter {
  struct Key {
    std::string kind;
    std::string key;
    auto Columns() const { return std::tuple(kind, key); }
    auto operator<=>(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.kind, k.key);
    }
  };

  std::string kind;       // as in sync.outbox
  std::string state_key;  // as `17/1`
  Uuid dead_letter_id;
  int64_t epoch = 0;
  int64_t version = 0;
  std::string reason;
  std::string message;
  std::vector<std::string> correlation_ids;
  absl::Time first_seen_at;
  absl::Time last_seen_at;
  int64_t attempts = 0;
  ops::v1::DeadLetterState settlement = ops::v1::DEAD_LETTER_STATE_OPEN;
  std::optional<absl::Time> settled_at;
  std::string settled_by;
  std::string settled_by_username;
  options::v1::Role settled_by_role = options::v1::ROLE_UNSPECIFIED;
  std::string drop_reason;
  db::Bytes state;

  Key key() const { return {kind, state_key}; }
  bool open() const { return settlement == ops::v1::DEAD_LETTER_STATE_OPEN; }
  // Whether it holds something newer than what bears this stamp.
  bool NewerThan(const v1::Stamp& stamp) const;
  void Settle(ops::v1::DeadLetterState how, absl::Time now);
  std::string JoinedCorrelationIds() const;

  // By key, and by dead_letter_id behind it; FOR UPDATE.
  static const db::Statement kLoad;
  // Where another lane buried a state of the same thing meanwhile, the newer
  // one stays.
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &DeadLetter::kind, &DeadLetter::state_key, &DeadLetter::dead_letter_id,
      &DeadLetter::epoch, &DeadLetter::version, &DeadLetter::reason,
      &DeadLetter::message, &DeadLetter::correlation_ids,
      &DeadLetter::first_seen_at, &DeadLetter::last_seen_at,
      &DeadLetter::attempts, &DeadLetter::settlement, &DeadLetter::settled_at,
      &DeadLetter::settled_by, &DeadLetter::settled_by_username,
      &DeadLetter::settled_by_role, &DeadLetter::drop_reason,
      &DeadLetter::state);
  static constexpr auto kInserted = std::tuple(
      &DeadLetter::kind, &DeadLetter::state_key, &DeadLetter::dead_letter_id,
      &DeadLetter::epoch, &DeadLetter::version, &DeadLetter::reason,
      &DeadLetter::message, &DeadLetter::JoinedCorrelationIds,
      &DeadLetter::first_seen_at, &DeadLetter::last_seen_at,
      &DeadLetter::attempts, &DeadLetter::settlement, &DeadLetter::settled_at,
      &DeadLetter::settled_by, &DeadLetter::settled_by_username,
      &DeadLetter::settled_by_role, &DeadLetter::drop_reason,
      &DeadLetter::state);
  static constexpr auto kUpdated = kInserted;
};

// What a select of dead letters reads, in the order of DeadLetter::kLoaded, but
// for the state at its end.
extern const std::string_view kDeadLetterColumns;

// As people see it.
ops::v1::DeadLetter Shown(const DeadLetter& letter);

}  // namespace mtp::sync
