#include "common/reconciliation/drift_rows.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/base/protos.h"
#include "common/base/uuid.h"
#include "common/sync/kinds.h"

namespace mtp::reconciliation {

namespace {

// A value of any type as people read it; a missing one is empty.
std::string TextOf(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return "";
  const auto value = object.find(name);
  if (value == object.end() || value->is_null()) return "";
  return value->is_string() ? value->get<std::string>() : value->dump();
}

}  // namespace

ops::v1::Drift ReadDrift(const db::Row& row) {
  Uuid drift_id;
  Uuid run_id;
  sync::v1::EntityKind kind = sync::v1::ENTITY_KIND_UNSPECIFIED;
  std::string key;
  common::v1::Side owner = common::v1::SIDE_UNSPECIFIED;
  ops::v1::DriftCause cause = ops::v1::DRIFT_CAUSE_UNSPECIFIED;
  std::string differences;
  absl::Time found_at;
  std::optional<absl::Time> repaired_at;
  int64_t repaired_version = 0;
  row.Into(drift_id, run_id, kind, key, owner, cause, differences, found_at,
           repaired_at, repaired_version);
  ops::v1::Drift drift;
  drift.set_drift_id(drift_id.ToString());
  drift.set_run_id(run_id.ToString());
  drift.set_kind(kind);
  drift.set_key(key);
  drift.set_owner(owner);
  drift.set_cause(cause);
  const auto list = nlohmann::json::parse(differences, nullptr, false);
  if (list.is_array()) {
    for (const auto& item : list) {
      ops::v1::DriftDifference& difference = *drift.add_differences();
      difference.set_field(TextOf(item, "field"));
      difference.set_owner_value(TextOf(item, "owner_value"));
      difference.set_copy_value(TextOf(item, "copy_value"));
    }
  }
  *drift.mutable_found_at() = ToProto(found_at);
  if (repaired_at.has_value())
    *drift.mutable_repaired_at() = ToProto(*repaired_at);
  drift.set_repaired_version(repaired_version);
  return drift;
}

}  // namespace mtp::reconciliation
