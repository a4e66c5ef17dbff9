#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"

// The audit trail: audit.entry holds who did what to which thing and when,
// append-only, written in the transaction of the change itself.
namespace mtp::sync {

// What changed, as names and values: {"grams", 25000}, {"vehicle", "WP-1234"}.
using ChangeValue = std::variant<std::string, int64_t, bool>;
using Change = std::vector<std::pair<std::string, ChangeValue>>;

struct AuditEntry {
  absl::Time occurred_at;
  std::string caller;
  std::string username;
  std::string role;  // 'SEEDUWA_OPERATOR', or empty for a service
  std::string method;
  Uuid request_id;
  std::string correlation_id;
  std::string entity_kind;  // 'bag', 'shipment', …
  std::string entity_key;
  std::string action;  // a past participle: 'received', 'allocated'
  std::string change;  // a JSON object
};

std::string ChangeAsJson(const Change& change);

void AddAuditEntries(const std::vector<AuditEntry>& entries,
                     db::Exchange& exchange);

}  // namespace mtp::sync
