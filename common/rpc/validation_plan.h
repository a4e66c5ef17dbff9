#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "mtp/options/v1/options.pb.h"

namespace mtp::rpc {

// What is checked of a message, beyond what its fields' rules say.
enum class Special { kNone, kTimestamp, kDuration, kDate };

struct Bounds {
  std::optional<int64_t> min;
  std::optional<int64_t> max;
  bool any() const { return min.has_value() || max.has_value(); }
};

struct MessagePlan;

// What is checked of one field. A map's entry is a message of its own.
struct FieldPlan {
  const google::protobuf::FieldDescriptor* field = nullptr;
  google::protobuf::FieldDescriptor::CppType type =
      google::protobuf::FieldDescriptor::CPPTYPE_INT32;
  bool repeated = false;
  bool map = false;
  bool has_presence = false;  // `optional`, a message, or a member of a oneof
  bool in_oneof = false;
  bool required = false;
  bool unique = false;
  bool not_in_future = false;
  bool is_bytes = false;
  options::v1::Format format = options::v1::FORMAT_UNSPECIFIED;
  Bounds bounds;
  size_t min_length = 0;
  size_t max_length = std::numeric_limits<size_t>::max();
  size_t max_items = 1000;
  // Enums: the declared numbers when they are all of first..last, so that a
  // look at two bounds is enough.
  bool enum_is_range = false;
  int enum_first = 0;
  int enum_last = 0;
  const MessagePlan* child = nullptr;
  // Whether a value can break a rule; if not, only presence and number count.
  bool checks_value = true;
};

struct OneofPlan {
  const google::protobuf::OneofDescriptor* oneof;
  std::string members;  // "a, b or c"
};

struct MessagePlan {
  const google::protobuf::Descriptor* type = nullptr;
  Special special = Special::kNone;
  std::vector<FieldPlan> fields;
  std::vector<OneofPlan> required_oneofs;
  // Whether a message of this type can break a rule at all.
  bool checks_something = true;
};

// The plans of a type and of all types it contains, each made once.
class ValidationPlans {
 public:
  // Lives as long as this.
  MessagePlan* Make(const google::protobuf::Descriptor* type);
  // The same, but what is in the type's own lists of messages is not looked at.
  MessagePlan* MakeFrame(const google::protobuf::Descriptor* type);

 private:
  FieldPlan MakeField(const google::protobuf::FieldDescriptor* field);

  std::map<const google::protobuf::Descriptor*, std::unique_ptr<MessagePlan>>
      by_type_;
  std::unique_ptr<MessagePlan> frame_;
};

}  // namespace mtp::rpc
