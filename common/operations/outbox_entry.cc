#include "common/operations/outbox_entry.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/protos.h"

namespace mtp::operations {

void ReadOutboxEntry(const db::Row& row, ops::v1::OutboxEntry& entry) {
  sync::v1::EntityKind kind = sync::v1::ENTITY_KIND_UNSPECIFIED;
  std::string key;
  int64_t version = 0;
  std::vector<std::string> correlation_ids;
  absl::Time since;
  int64_t attempts = 0;
  std::string last_error;
  std::optional<absl::Time> next_attempt_at;
  bool poisoned = false;
  int64_t confirmed_version = 0;
  row.Into(kind, key, version, correlation_ids, since, attempts, last_error,
           next_attempt_at, poisoned, confirmed_version);
  entry.set_kind(kind);
  entry.set_key(key);
  entry.set_version(version);
  for (std::string& id : correlation_ids)
    entry.add_correlation_ids(std::move(id));
  *entry.mutable_marked_at() = ToProto(since);
  entry.set_attempt_count(attempts);
  entry.set_last_error(last_error);
  if (next_attempt_at.has_value()) {
    *entry.mutable_next_attempt_at() = ToProto(*next_attempt_at);
  }
  entry.set_poisoned(poisoned);
  entry.set_confirmed_version(confirmed_version);
}

}  // namespace mtp::operations
