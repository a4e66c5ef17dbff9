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
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "mtp/common/v1/common.pb.h"

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
  std::string role;                // 'SEEDUWA_OPERATOR', or empty for a service
  std::string method;              // as MethodText has it
  std::optional<Uuid> request_id;  // the caller's, if it gave one
  std::string correlation_id;
  std::string remote_address;
  std::string remarks;      // those of the request
  std::string entity_kind;  // 'bag', 'shipment', …
  std::string entity_key;
  std::string action;  // a past participle: 'received', 'allocated'
  std::string change;  // a JSON object
};

std::string ChangeAsJson(const Change& change);

// A method as the trail names it: `/mtp.order.v1.PlanService/ImportPlans`; what
// the peer tells by its state, `sync.shipment_progress`.
std::string MethodText(const google::protobuf::MethodDescriptor& method);

// The remarks or the reason in a request, as a person gave them; empty without.
std::string RemarksIn(const google::protobuf::Message& request);

// The things that a change names besides the one it was done to, in the order
// of kNamedThings (audit.cc). `change` is the JSON of ChangeAsJson.
std::vector<common::v1::Thing> ThingsIn(std::string_view change);

void AddAuditEntries(const std::vector<AuditEntry>& entries,
                     db::Exchange& exchange);

}  // namespace mtp::sync
