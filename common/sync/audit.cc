#include "common/sync/audit.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace mtp::sync {
namespace {

constexpr db::Statement kStoreEntries{R"(
  INSERT INTO audit.entry (occurred_at, caller, username, role, method, request_id,
                           correlation_id, remote_address, remarks, entity_kind,
                           entity_key, action, change)
  SELECT occurred_at, caller, username, role, method, request_id, correlation_id,
         remote_address, remarks, entity_kind, entity_key, action, change::jsonb
  FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[],
              $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
              $12::text[], $13::text[])
    AS entry (occurred_at, caller, username, role, method, request_id, correlation_id,
              remote_address, remarks, entity_kind, entity_key, action, change)
)"};

constexpr std::string_view kSyncPackage = "mtp.sync.v1";

// What people say with a change is in one of these fields of its request.
constexpr const char* kRemarkFields[] = {"remarks", "reason", "order_remarks",
                                         "shipment_remarks", "comments"};

// What a change calls the things it names, the nearest first. A value can name
// its kind itself, as `shipment:17/1`.
struct NamedThing {
  const char* name;
  const char* kind;
};
constexpr NamedThing kNamedThings[] = {
    {"allocation_id", "allocation"},
    {"moved_to_allocation_id", "allocation"},
    {"barcode", "bag"},
    {"batch_id", "batch"},
    {"shipment", "shipment"},
    {"split_off_shipment", "shipment"},
    {"split_from_shipment", "shipment"},
    {"schedule_code", "schedule"},
    {"order_code", "plan"},
    {"thing", ""},
};

// `ShipmentProgress` of ApplyShipmentProgress as `shipment_progress`; what is
// told in the plural becomes one of it.
std::string StateName(std::string_view method_name) {
  constexpr std::string_view kApply = "Apply";
  if (method_name.starts_with(kApply)) method_name.remove_prefix(kApply.size());
  if (method_name.ends_with("s") && !method_name.ends_with("ss"))
    method_name.remove_suffix(1);
  std::string name;
  for (const char c : method_name) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !name.empty())
      name.push_back('_');
    name.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string TextOf(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string ChangeAsJson(const Change& change) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : change) {
    std::visit([&](const auto& v) { object[name] = v; }, value);
  }
  // Replace, not throw: the text was valid UTF-8 when it came in.
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string MethodText(const google::protobuf::MethodDescriptor& method) {
  const google::protobuf::ServiceDescriptor& service = *method.service();
  if (service.file()->package() == kSyncPackage) {
    return absl::StrCat("sync.", StateName(method.name()));
  }
  return absl::StrCat("/", service.full_name(), "/", method.name());
}

std::string RemarksIn(const google::protobuf::Message& request) {
  using google::protobuf::FieldDescriptor;
  for (const char* name : kRemarkFields) {
    const FieldDescriptor* field =
        request.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr || field->is_repeated() ||
        field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      continue;
    }
    std::string text = request.GetReflection()->GetString(request, field);
    if (!text.empty()) return text;
  }
  return "";
}

std::vector<common::v1::Thing> ThingsIn(std::string_view change) {
  std::vector<common::v1::Thing> things;
  const nlohmann::json object = nlohmann::json::parse(
      change.begin(), change.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return things;
  for (const NamedThing& named : kNamedThings) {
    const auto value = object.find(named.name);
    if (value == object.end()) continue;
    std::string key = TextOf(*value);
    if (key.empty()) continue;
    std::string kind = named.kind;
    if (kind.empty()) {
      const size_t colon = key.find(':');
      if (colon == std::string::npos) continue;
      kind = key.substr(0, colon);
      key.erase(0, colon + 1);
    }
    common::v1::Thing& thing = things.emplace_back();
    thing.set_kind(std::move(kind));
    thing.set_key(std::move(key));
  }
  return things;
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
                                  .Array(entries, &AuditEntry::remote_address)
                                  .Array(entries, &AuditEntry::remarks)
                                  .Array(entries, &AuditEntry::entity_kind)
                                  .Array(entries, &AuditEntry::entity_key)
                                  .Array(entries, &AuditEntry::action)
                                  .Array(entries, &AuditEntry::change));
}

}  // namespace mtp::sync
