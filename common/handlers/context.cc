#include "common/handlers/context.h"

#include "common/db/proto_enum.h"

namespace mtp::handlers {

void Context::AuditAt(absl::Time occurred_at, std::string_view entity_kind,
                      std::string entity_key, std::string_view action,
                      const sync::Change& change) {
  audit_entries_.push_back({.occurred_at = occurred_at,
                            .caller = caller().subject,
                            .username = caller().username,
                            .role = std::string(db::EnumText(caller().role)),
                            .method = sync::MethodText(*call_.method),
                            .request_id = request_id_,
                            .correlation_id = correlation_id(),
                            .remote_address = call_.remote_address,
                            .remarks = call_.message == nullptr
                                           ? ""
                                           : sync::RemarksIn(*call_.message),
                            .entity_kind = std::string(entity_kind),
                            .entity_key = std::move(entity_key),
                            .action = std::string(action),
                            .change = sync::ChangeAsJson(change)});
}

std::string Context::Tell(std::string_view kind, std::string_view key,
                          int64_t version) {
  marks_.push_back(
      {std::string(kind), std::string(key), version, correlation_id()});
  return sync::SyncToken(kind, key, version);
}

}  // namespace mtp::handlers
