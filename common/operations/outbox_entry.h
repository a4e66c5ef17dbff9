#pragma once

#include <string_view>

#include "common/db/result.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/sync/v1/sync.pb.h"

// Rows of sync.outbox as people see them.
namespace mtp::operations {

inline constexpr std::string_view kOutboxEntryColumns = R"(
  SELECT kind, key, version, correlation_ids, since, attempts, coalesce(last_error, ''),
         CASE WHEN next_attempt_at > now() AND next_attempt_at < 'infinity'
              THEN next_attempt_at END,
         poisoned_version >= version,
         confirmed_version
  FROM sync.outbox AS mark
)";

// Of a row with these columns.
void ReadOutboxEntry(const db::Row& row, ops::v1::OutboxEntry& entry);

}  // namespace mtp::operations
