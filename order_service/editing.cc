#include "order_service/editing.h"

#include "order_service/errors.h"

namespace mtp::order {
namespace {

std::vector<std::string> AllFields(const google::protobuf::Descriptor& type) {
  std::vector<std::string> fields;
  for (int i = 0; i < type.field_count(); ++i)
    fields.push_back(type.field(i)->name());
  return fields;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FieldsToChange(
    const google::protobuf::FieldMask& mask,
    const google::protobuf::Message& change) {
  const google::protobuf::Descriptor& type = *change.GetDescriptor();
  std::vector<std::string> fields;
  for (const std::string& path : mask.paths()) {
    if (path == "*") return AllFields(type);
    if (type.FindFieldByName(path) == nullptr) {
      return errors::UpdateMaskInvalid(path);
    }
    fields.push_back(path);
  }
  return fields.empty() ? AllFields(type) : fields;
}

}  // namespace mtp::order
