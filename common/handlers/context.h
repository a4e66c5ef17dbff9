#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/rpc/call.h"
#include "common/sync/audit.h"
#include "common/sync/outbox.h"

namespace mtp::handlers {

// What a decision knows about its call besides the rows, and where it says
// what its reply alone does not: what goes into the audit trail and what the
// other side must get to know. Forgotten with the call when it is refused.
class Context {
 public:
  // `request_id` is the caller's own; nothing if it gave none.
  Context(const rpc::Call& call, std::optional<Uuid> request_id, absl::Time now,
          std::optional<std::string> broken_rule = {})
      : call_(call),
        request_id_(request_id),
        now_(now),
        broken_rule_(std::move(broken_rule)) {}

  const rpc::Caller& caller() const { return call_.caller; }
  const std::string& correlation_id() const { return call_.correlation_id; }
  // The time at which the batch is decided; the same for all its calls.
  absl::Time now() const { return now_; }
  // When it happened: as the station told, or now.
  template <typename Request>
  absl::Time OccurredAt(const Request& request) const {
    if (!request.has_occurred_at()) return now_;
    // As the database keeps it: in microseconds.
    return absl::FromUnixSeconds(request.occurred_at().seconds()) +
           absl::Microseconds(request.occurred_at().nanos() / 1000);
  }
  Uuid NewId() const { return Uuid::V7(now_); }
  // The rule of the schema by which the database has refused this very call,
  // alone; only for commands that answer to it.
  const std::optional<std::string>& broken_rule() const { return broken_rule_; }

  // Keeps who did what to which thing. `action` is a past participle.
  void Audit(std::string_view entity_kind, std::string entity_key,
             std::string_view action, const sync::Change& change = {}) {
    AuditAt(now_, entity_kind, std::move(entity_key), action, change);
  }
  void AuditAt(absl::Time occurred_at, std::string_view entity_kind,
               std::string entity_key, std::string_view action,
               const sync::Change& change = {});

  // Marks that the peer must learn this version of an entity; returns the
  // token to wait for that.
  std::string Tell(std::string_view kind, std::string_view key,
                   int64_t version);

  std::vector<sync::AuditEntry>& audit_entries() { return audit_entries_; }
  std::vector<sync::Mark>& marks() { return marks_; }

 private:
  const rpc::Call& call_;
  std::optional<Uuid> request_id_;
  absl::Time now_;
  std::optional<std::string> broken_rule_;
  std::vector<sync::AuditEntry> audit_entries_;
  std::vector<sync::Mark> marks_;
};

}  // namespace mtp::handlers
