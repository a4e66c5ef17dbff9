#include "common/rpc/validation.h"

#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "common/base/characters.h"
#include "common/base/errors.h"
#include "common/rpc/validation_formats.h"
#include "common/rpc/validation_plan.h"
#include "common/rpc/wire_diagnosis.h"

namespace mtp::rpc {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

// Clocks of stations differ.
constexpr absl::Duration kFutureLeeway = absl::Minutes(1);
constexpr int64_t kEarliestSeconds = 946'684'800;  // 2000-01-01 UTC
// Looking for more helps nobody and costs memory.
constexpr size_t kViolationsLimit = 1000;

// Where in the request the checking is; written out only for a violation.
struct Place {
  const Place* parent = nullptr;
  const FieldDescriptor* field = nullptr;
  int index = -1;                    // of a list
  const std::string* key = nullptr;  // of a map

  std::string ToString() const {
    std::string path = parent == nullptr ? "" : parent->ToString();
    if (field == nullptr) return path;
    if (!path.empty()) path += '.';
    path += field->name();
    if (key != nullptr) {
      absl::StrAppend(&path, "[\"", *key, "\"]");
    } else if (index >= 0) {
      absl::StrAppend(&path, "[", index, "]");
    }
    return path;
  }
};

class Checker {
 public:
  explicit Checker(absl::Time now) : now_(now) {}

  void CheckMessage(const MessagePlan& plan, const Message& message,
                    const Place& place);
  absl::Status Outcome() const {
    return violations_.empty() ? absl::OkStatus()
                               : errors::InvalidFields(violations_);
  }

 private:
  void Violate(const Place& place, std::string description) {
    if (violations_.size() < kViolationsLimit) {
      violations_.push_back({place.ToString(), std::move(description)});
    }
  }

  void CheckOneofs(const MessagePlan& plan, const Message& message,
                   const Place& place);
  void CheckSpecial(Special special, const Message& message,
                    const Place& place);
  void CheckSingle(const FieldPlan& plan, const Message& message,
                   const Place& place);
  void CheckList(const FieldPlan& plan, const Message& message,
                 const Place& parent);
  void CheckMap(const FieldPlan& plan, const Message& message,
                const Place& parent);
  void CheckUnique(const FieldPlan& plan, const Message& message,
                   const Place& parent);

  // `is_set` says that the value counts though it may be empty.
  void CheckText(const FieldPlan& plan, std::string_view text, bool is_set,
                 const Place& place);
  void CheckBytes(const FieldPlan& plan, std::string_view bytes,
                  const Place& place);
  void CheckEnum(const FieldPlan& plan, int number, const Place& place);
  template <typename T>
  void CheckNumber(const FieldPlan& plan, T value, const Place& place);
  void CheckChild(const FieldPlan& plan, const Message& child,
                  const Place& place);
  // Value `index` of the list, or the single one when it is negative.
  void CheckValue(const FieldPlan& plan, const Message& message, int index,
                  bool is_set, const Place& place);

  const absl::Time now_;
  std::vector<errors::FieldViolation> violations_;
  std::string scratch_;
};

int64_t Int64Field(const Message& message, int number) {
  return message.GetReflection()->GetInt64(
      message, message.GetDescriptor()->FindFieldByNumber(number));
}

int32_t Int32Field(const Message& message, int number) {
  return message.GetReflection()->GetInt32(
      message, message.GetDescriptor()->FindFieldByNumber(number));
}

void Checker::CheckMessage(const MessagePlan& plan, const Message& message,
                           const Place& place) {
  if (plan.special != Special::kNone) {
    CheckSpecial(plan.special, message, place);
  }
  for (const FieldPlan& field : plan.fields) {
    if (field.map) {
      CheckMap(field, message, place);
    } else if (field.repeated) {
      CheckList(field, message, place);
    } else {
      CheckSingle(field, message,
                  Place{.parent = &place, .field = field.field});
    }
  }
  CheckOneofs(plan, message, place);
}

void Checker::CheckOneofs(const MessagePlan& plan, const Message& message,
                          const Place& place) {
  for (const OneofPlan& required : plan.required_oneofs) {
    if (message.GetReflection()->HasOneof(message, required.oneof)) continue;
    const Place member{.parent = &place, .field = required.oneof->field(0)};
    std::string path = member.ToString();
    path.resize(path.size() - member.field->name().size());
    if (violations_.size() < kViolationsLimit) {
      violations_.push_back(
          {path + required.oneof->name(), "needs one of " + required.members});
    }
  }
}

void Checker::CheckSpecial(Special special, const Message& message,
                           const Place& place) {
  constexpr int64_t kFirstSecond = -62'135'596'800;  // 0001-01-01
  constexpr int64_t kLastSecond = 253'402'300'799;   // 9999-12-31
  constexpr int64_t kLongest = 315'576'000'000;      // 10,000 years
  constexpr int32_t kNanos = 1'000'000'000;
  if (special == Special::kTimestamp) {
    const int64_t seconds = Int64Field(message, 1);
    const int32_t nanos = Int32Field(message, 2);
    if (seconds < kFirstSecond || seconds > kLastSecond || nanos < 0 ||
        nanos >= kNanos) {
      Violate(place, "must be a time from the year 1 to 9999");
    }
  } else if (special == Special::kDuration) {
    const int64_t seconds = Int64Field(message, 1);
    const int32_t nanos = Int32Field(message, 2);
    if (seconds < -kLongest || seconds > kLongest || nanos <= -kNanos ||
        nanos >= kNanos || (seconds < 0 && nanos > 0) ||
        (seconds > 0 && nanos < 0)) {
      Violate(place, "must be a duration of at most 10,000 years");
    }
  } else {
    const int32_t year = Int32Field(message, 1);
    const int32_t month = Int32Field(message, 2);
    const int32_t day = Int32Field(message, 3);
    // What is out of the fields' own bounds is told of the fields.
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > 31) {
      return;
    }
    if (absl::CivilDay(year, month, day).day() != day) {
      Violate(place, "is not a day of the calendar");
    }
  }
}

void Checker::CheckSingle(const FieldPlan& plan, const Message& message,
                          const Place& place) {
  bool is_set = false;
  if (plan.has_presence) {
    is_set = message.GetReflection()->HasField(message, plan.field);
    if (!is_set) {
      if (plan.required && !plan.in_oneof) Violate(place, "is required");
      return;
    }
  }
  CheckValue(plan, message, -1, is_set, place);
}

void Checker::CheckList(const FieldPlan& plan, const Message& message,
                        const Place& parent) {
  const Place whole{.parent = &parent, .field = plan.field};
  const int size = message.GetReflection()->FieldSize(message, plan.field);
  if (size == 0) {
    if (plan.required) Violate(whole, "must not be empty");
    return;
  }
  if (static_cast<size_t>(size) > plan.max_items) {
    Violate(whole, absl::StrCat("must hold at most ", plan.max_items,
                                " items, not ", size));
    return;
  }
  if (plan.checks_value) {
    for (int i = 0; i < size; ++i) {
      CheckValue(plan, message, i, true,
                 Place{.parent = &parent, .field = plan.field, .index = i});
    }
  }
  if (plan.unique) CheckUnique(plan, message, parent);
}

void Checker::CheckMap(const FieldPlan& plan, const Message& message,
                       const Place& parent) {
  const Place whole{.parent = &parent, .field = plan.field};
  const Reflection* reflection = message.GetReflection();
  const int size = reflection->FieldSize(message, plan.field);
  if (size == 0) {
    if (plan.required) Violate(whole, "must not be empty");
    return;
  }
  if (static_cast<size_t>(size) > plan.max_items) {
    Violate(whole, absl::StrCat("must hold at most ", plan.max_items,
                                " items, not ", size));
    return;
  }
  if (!plan.checks_value) return;
  const FieldDescriptor* key_field = plan.child->type->map_key();
  for (int i = 0; i < size; ++i) {
    const Message& entry =
        reflection->GetRepeatedMessage(message, plan.field, i);
    std::string key;
    if (key_field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      key = entry.GetReflection()->GetString(entry, key_field);
    } else {
      key = absl::StrCat(i);
    }
    const Place place{
        .parent = &parent, .field = plan.field, .index = i, .key = &key};
    for (const FieldPlan& part : plan.child->fields) {
      // A key that cannot be shown is told by its number.
      const bool is_key = part.field == key_field;
      const Place numbered{.parent = &parent, .field = plan.field, .index = i};
      if (part.type == FieldDescriptor::CPPTYPE_MESSAGE &&
          !entry.GetReflection()->HasField(entry, part.field)) {
        continue;
      }
      CheckValue(part, entry, -1, true, is_key ? numbered : place);
    }
  }
}

void Checker::CheckUnique(const FieldPlan& plan, const Message& message,
                          const Place& parent) {
  const Reflection* reflection = message.GetReflection();
  const int size = reflection->FieldSize(message, plan.field);
  const auto place = [&](int i) {
    return Place{.parent = &parent, .field = plan.field, .index = i};
  };
  if (plan.type == FieldDescriptor::CPPTYPE_STRING) {
    absl::flat_hash_set<std::string> seen;
    for (int i = 0; i < size; ++i) {
      const std::string& value = reflection->GetRepeatedStringReference(
          message, plan.field, i, &scratch_);
      if (!seen.insert(value).second) Violate(place(i), "is there twice");
    }
    return;
  }
  absl::flat_hash_set<int64_t> seen;
  for (int i = 0; i < size; ++i) {
    int64_t value = 0;
    switch (plan.type) {
      case FieldDescriptor::CPPTYPE_INT32:
        value = reflection->GetRepeatedInt32(message, plan.field, i);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        value = reflection->GetRepeatedInt64(message, plan.field, i);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        value = reflection->GetRepeatedUInt32(message, plan.field, i);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        value = static_cast<int64_t>(
            reflection->GetRepeatedUInt64(message, plan.field, i));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        value = reflection->GetRepeatedEnumValue(message, plan.field, i);
        break;
      default:
        return;
    }
    if (!seen.insert(value).second) Violate(place(i), "is there twice");
  }
}

void Checker::CheckText(const FieldPlan& plan, std::string_view text,
                        bool is_set, const Place& place) {
  if (plan.required &&
      text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    Violate(place, "is required");
    return;
  }
  if (text.empty()) {
    if (plan.required) {
      Violate(place, "is required");
    } else if (is_set) {
      if (const char* wrong = FormatViolation(plan.format, text)) {
        Violate(place, wrong);
      } else if (plan.min_length > 0) {
        Violate(place, absl::StrCat("must have at least ", plan.min_length,
                                    " characters"));
      }
    }
    return;
  }
  if (std::memchr(text.data(), 0, text.size()) != nullptr) {
    Violate(place, "must not hold a NUL character");
    return;
  }
  // A character has one to four bytes: most texts need no counting.
  if (text.size() > plan.max_length &&
      CountCharacters(text) > plan.max_length) {
    Violate(place,
            absl::StrCat("must have at most ", plan.max_length, " characters"));
    return;
  }
  if (plan.min_length > 0 && CountCharacters(text) < plan.min_length) {
    Violate(place, absl::StrCat("must have at least ", plan.min_length,
                                " characters"));
  }
  if (const char* wrong = FormatViolation(plan.format, text)) {
    Violate(place, wrong);
  }
}

void Checker::CheckBytes(const FieldPlan& plan, std::string_view bytes,
                         const Place& place) {
  if (bytes.empty()) {
    if (plan.required) Violate(place, "is required");
    return;
  }
  if (bytes.size() > plan.max_length) {
    Violate(place,
            absl::StrCat("must have at most ", plan.max_length, " bytes"));
  } else if (bytes.size() < plan.min_length) {
    Violate(place,
            absl::StrCat("must have at least ", plan.min_length, " bytes"));
  }
}

void Checker::CheckEnum(const FieldPlan& plan, int number, const Place& place) {
  if (number == 0 && plan.required) {
    Violate(place, "is required");
    return;
  }
  const bool declared =
      plan.enum_is_range
          ? number >= plan.enum_first && number <= plan.enum_last
          : plan.field->enum_type()->FindValueByNumber(number) != nullptr;
  if (!declared) {
    Violate(place, absl::StrCat("has no value ", number));
  }
}

template <typename T>
void Checker::CheckNumber(const FieldPlan& plan, T value, const Place& place) {
  const auto below = [&](int64_t bound) {
    if constexpr (std::is_floating_point_v<T>) {
      return !(static_cast<double>(value) >= static_cast<double>(bound));
    } else {
      return std::cmp_less(value, bound);
    }
  };
  const auto above = [&](int64_t bound) {
    if constexpr (std::is_floating_point_v<T>) {
      return !(static_cast<double>(value) <= static_cast<double>(bound));
    } else {
      return std::cmp_greater(value, bound);
    }
  };
  const Bounds& bounds = plan.bounds;
  if ((!bounds.min.has_value() || !below(*bounds.min)) &&
      (!bounds.max.has_value() || !above(*bounds.max))) {
    return;
  }
  if (bounds.min.has_value() && bounds.max.has_value()) {
    Violate(place,
            absl::StrCat("must be from ", *bounds.min, " to ", *bounds.max));
  } else if (bounds.min.has_value()) {
    Violate(place, absl::StrCat("must be at least ", *bounds.min));
  } else {
    Violate(place, absl::StrCat("must be at most ", *bounds.max));
  }
}

void Checker::CheckChild(const FieldPlan& plan, const Message& child,
                         const Place& place) {
  if (plan.child->checks_something) CheckMessage(*plan.child, child, place);
  if (plan.not_in_future && plan.child->special == Special::kTimestamp) {
    const int64_t latest = absl::ToUnixSeconds(now_ + kFutureLeeway);
    const int64_t seconds = Int64Field(child, 1);
    if (seconds > latest) {
      Violate(place, "must not be in the future");
    } else if (seconds < kEarliestSeconds) {
      Violate(place, "must not be before the year 2000");
    }
  }
}

void Checker::CheckValue(const FieldPlan& plan, const Message& message,
                         int index, bool is_set, const Place& place) {
  const Reflection* r = message.GetReflection();
  const FieldDescriptor* f = plan.field;
  const bool single = index < 0;
  switch (plan.type) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string& text =
          single ? r->GetStringReference(message, f, &scratch_)
                 : r->GetRepeatedStringReference(message, f, index, &scratch_);
      if (plan.is_bytes) {
        CheckBytes(plan, text, place);
      } else {
        CheckText(plan, text, is_set, place);
      }
      return;
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      CheckEnum(plan,
                single ? r->GetEnumValue(message, f)
                       : r->GetRepeatedEnumValue(message, f, index),
                place);
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      CheckChild(plan,
                 single ? r->GetMessage(message, f)
                        : r->GetRepeatedMessage(message, f, index),
                 place);
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      CheckNumber(plan,
                  single ? r->GetInt32(message, f)
                         : r->GetRepeatedInt32(message, f, index),
                  place);
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      CheckNumber(plan,
                  single ? r->GetInt64(message, f)
                         : r->GetRepeatedInt64(message, f, index),
                  place);
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      CheckNumber(plan,
                  single ? r->GetUInt32(message, f)
                         : r->GetRepeatedUInt32(message, f, index),
                  place);
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      CheckNumber(plan,
                  single ? r->GetUInt64(message, f)
                         : r->GetRepeatedUInt64(message, f, index),
                  place);
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      CheckNumber(plan,
                  single ? r->GetFloat(message, f)
                         : r->GetRepeatedFloat(message, f, index),
                  place);
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      CheckNumber(plan,
                  single ? r->GetDouble(message, f)
                         : r->GetRepeatedDouble(message, f, index),
                  place);
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      return;
  }
}

}  // namespace

Validator::Validator(const Descriptor* type, Scope scope,
                     google::protobuf::MessageFactory* factory)
    : plans_(std::make_unique<ValidationPlans>()),
      root_(scope == Scope::kWhole ? plans_->Make(type)
                                   : plans_->MakeFrame(type)),
      prototype_(factory->GetPrototype(type)) {}

Validator::~Validator() = default;
Validator::Validator(Validator&&) noexcept = default;
Validator& Validator::operator=(Validator&&) noexcept = default;

absl::StatusOr<std::unique_ptr<Message>> Validator::Parse(
    std::string_view bytes, absl::Time now) const {
  if (bytes.size() > std::numeric_limits<int>::max()) {
    return errors::InvalidField("", "is larger than 2 GiB");
  }
  std::unique_ptr<Message> message(prototype_->New());
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return errors::InvalidFields(DiagnoseWire(bytes, root_->type));
  }
  absl::Status checked = Check(*message, now);
  if (!checked.ok()) return checked;
  return message;
}

absl::Status Validator::Check(const Message& message, absl::Time now) const {
  Checker checker(now);
  checker.CheckMessage(*root_, message, Place{});
  return checker.Outcome();
}

}  // namespace mtp::rpc
