#include "common/rpc/wire_diagnosis.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/validation_formats.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace mtp::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// As deep as protobuf itself reads.
constexpr int kDepthLimit = 100;
constexpr size_t kViolationsLimit = 1000;
constexpr char kNonsense[] = "is not what the contract says on the wire";

class Walker {
 public:
  // Whether the bytes are well-formed.
  bool Walk(std::string_view bytes, const Descriptor* type,
            const std::string& path, int depth) {
    CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                        static_cast<int>(bytes.size()));
    std::map<const FieldDescriptor*, int> seen;
    while (in.CurrentPosition() < static_cast<int>(bytes.size())) {
      const uint32_t tag = in.ReadTag();
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      if (number == 0) return Violate(path, kNonsense);
      const FieldDescriptor* field = type->FindFieldByNumber(number);
      if (WireFormatLite::GetTagWireType(tag) !=
              WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
          field == nullptr) {
        if (!WireFormatLite::SkipField(&in, tag)) {
          return Violate(Join(path, field, -1), kNonsense);
        }
        continue;
      }
      const int index = field->is_repeated() ? seen[field]++ : -1;
      const std::string place = Join(path, field, index);
      uint32_t length = 0;
      const bool has_length = in.ReadVarint32(&length);
      const size_t start = static_cast<size_t>(in.CurrentPosition());
      if (!has_length || length > bytes.size() - start) {
        return Violate(place, kNonsense);
      }
      in.Skip(static_cast<int>(length));
      if (!WalkField(bytes.substr(start, length), field, place, depth)) {
        return false;
      }
    }
    return true;
  }

  std::vector<errors::FieldViolation> Take() { return std::move(violations_); }

 private:
  bool WalkField(std::string_view content, const FieldDescriptor* field,
                 const std::string& place, int depth) {
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      if (!IsUtf8(content)) Violate(place, "must be valid UTF-8");
    } else if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      if (depth >= kDepthLimit) return Violate(place, "is nested too deep");
      return Walk(content, field->message_type(), place, depth + 1);
    }
    return true;
  }

  static std::string Join(const std::string& path, const FieldDescriptor* field,
                          int index) {
    if (field == nullptr) return path;
    std::string joined = path.empty() ? "" : path + ".";
    joined += field->name();
    if (index >= 0) absl::StrAppend(&joined, "[", index, "]");
    return joined;
  }

  // False, for `return Violate(…)`.
  bool Violate(std::string path, std::string description) {
    if (path.empty()) path = "request";
    if (violations_.size() < kViolationsLimit) {
      violations_.push_back({std::move(path), std::move(description)});
    }
    return false;
  }

  std::vector<errors::FieldViolation> violations_;
};

}  // namespace

std::vector<errors::FieldViolation> DiagnoseWire(std::string_view bytes,
                                                 const Descriptor* type) {
  Walker walker;
  walker.Walk(bytes, type, "", 0);
  auto violations = walker.Take();
  if (violations.empty()) violations.push_back({"request", kNonsense});
  return violations;
}

}  // namespace mtp::rpc
