#include "common/sync/audit.h"

#include <nlohmann/json.hpp>

namespace mtp::sync {
namespace {

constexpr db::Statement kStoreEntries{R"(
  INSERT INTO audit.entry (occurred_at, caller, username, role, method, request_id,
                           correlation_id, entity_kind, entity_key, action, change)
  SELECT occurred_at, caller, username, role, method, request_id, correlation_id,
         entity_kind, entity_key, action, change::jsonb
  FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[],
              $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
    AS entry (occurred_at, caller, username, role, method, request_id, correlation_id,
              entity_kind, entity_key, action, change)
)"};

}  // namespace

std::string ChangeAsJson(const Change& change) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : change) {
    std::visit([&](const auto& v) { object[name] = v; }, value);
  }
  // Replace, not throw: the text was valid UTF-8 when it came in.
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void AddAuditEntries(const std::vector<AuditEntry>& entries,
                     db::Exchange& exchange) {
  if (entries.empty()) return;
  exchange.Add(kStoreEntries, db::Params()
                                  .Array(entries, &AuditEntry::occurred_at)
                                  .Array(entries, &AuditEntry::caller)
                                  .Array(entries, &AuditEntry::username)
                                  .Array(entries, &AuditEntry::role)
                                  .Array(entries, &AuditEntry::method)
                                  .Array(entries, &AuditEntry::request_id)
                                  .Array(entries, &AuditEntry::correlation_id)
                                  .Array(entries, &AuditEntry::entity_kind)
                                  .Array(entries, &AuditEntry::entity_key)
                                  .Array(entries, &AuditEntry::action)
                                  .Array(entries, &AuditEntry::change));
}

}  // namespace mtp::sync
