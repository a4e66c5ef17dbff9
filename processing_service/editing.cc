#include "processing_service/editing.h"

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"

namespace mtp::processing {

absl::StatusOr<FieldNames> FieldsToChange(
    const google::protobuf::FieldMask& mask,
    const google::protobuf::Message& change) {
  const google::protobuf::Descriptor& type = *change.GetDescriptor();
  FieldNames fields;
  bool all = mask.paths().empty();
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      all = true;
    } else if (type.FindFieldByName(path) == nullptr) {
      return errors::Make(
          absl::StatusCode::kInvalidArgument, "UPDATE_MASK_INVALID",
          absl::StrCat("update_mask names ", path,
                       ", which is not a field that can be changed"),
          {{"path", path}});
    } else {
      fields.insert(path);
    }
  }
  if (!all) return fields;
  for (int i = 0; i < type.field_count(); ++i)
    fields.insert(type.field(i)->name());
  return fields;
}

absl::Status CheckEtag(std::string_view given, std::string_view current) {
  if (given.empty() || given == current) return absl::OkStatus();
  return errors::Aborted("ETAG_MISMATCH",
                         "it was changed meanwhile: read it again",
                         {{"etag", std::string(current)}});
}

}  // namespace mtp::processing
