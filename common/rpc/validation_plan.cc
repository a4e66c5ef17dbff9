#include "common/rpc/validation_plan.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace mtp::rpc {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;

namespace {

// The defaults that options.proto promises.
constexpr size_t kStringLimit = 1000;  // characters
constexpr int64_t kGramsLimit = 1'000'000'000'000;

bool EndsInGrams(const std::string& name) {
  constexpr std::string_view kSuffix = "_grams";
  return name == "grams" || (name.size() > kSuffix.size() &&
                             std::string_view(name).substr(
                                 name.size() - kSuffix.size()) == kSuffix);
}

bool IsInteger(FieldDescriptor::CppType type) {
  return type == FieldDescriptor::CPPTYPE_INT32 ||
         type == FieldDescriptor::CPPTYPE_INT64 ||
         type == FieldDescriptor::CPPTYPE_UINT32 ||
         type == FieldDescriptor::CPPTYPE_UINT64;
}

Special SpecialOf(const Descriptor* type) {
  const std::string& name = type->full_name();
  if (name == "google.protobuf.Timestamp") return Special::kTimestamp;
  if (name == "google.protobuf.Duration") return Special::kDuration;
  if (name == "mtp.common.v1.Date") return Special::kDate;
  return Special::kNone;
}

void FindEnumRange(const EnumDescriptor* type, FieldPlan& plan) {
  std::vector<int> numbers;
  for (int i = 0; i < type->value_count(); ++i) {
    numbers.push_back(type->value(i)->number());
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  plan.enum_first = numbers.front();
  plan.enum_last = numbers.back();
  plan.enum_is_range =
      static_cast<int64_t>(plan.enum_last) - plan.enum_first + 1 ==
      static_cast<int64_t>(numbers.size());
}

bool ChecksValue(const FieldPlan& plan) {
  switch (plan.type) {
    case FieldDescriptor::CPPTYPE_STRING:
      return !plan.is_bytes || plan.min_length > 0 ||
             plan.max_length < std::numeric_limits<size_t>::max();
    case FieldDescriptor::CPPTYPE_ENUM:
      return true;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return plan.child->checks_something || plan.not_in_future;
    default:
      return plan.bounds.any();
  }
}

bool IsRequired(const OneofDescriptor* oneof) {
  for (int i = 0; i < oneof->field_count(); ++i) {
    const auto& options = oneof->field(i)->options();
    if (options.GetExtension(options::v1::rules).required()) return true;
  }
  return false;
}

// `a, b or c`
std::string MemberNames(const OneofDescriptor* oneof) {
  std::string names;
  for (int i = 0; i < oneof->field_count(); ++i) {
    const bool last = i + 1 == oneof->field_count();
    absl::StrAppend(&names,
                    i == 0 ? ""
                    : last ? " or "
                           : ", ",
                    oneof->field(i)->name());
  }
  return names;
}

}  // namespace

FieldPlan ValidationPlans::MakeField(const FieldDescriptor* field) {
  const options::v1::Rules& rules =
      field->options().GetExtension(options::v1::rules);
  FieldPlan plan;
  plan.field = field;
  plan.type = field->cpp_type();
  plan.repeated = field->is_repeated();
  plan.map = field->is_map();
  plan.has_presence = field->has_presence();
  plan.in_oneof = field->real_containing_oneof() != nullptr;
  plan.required = rules.required();
  plan.unique = rules.unique();
  plan.not_in_future = rules.not_in_future();
  plan.is_bytes = field->type() == FieldDescriptor::TYPE_BYTES;
  plan.format = rules.format();
  plan.min_length = rules.min_length();
  if (rules.max_length() > 0) {
    plan.max_length = rules.max_length();
  } else if (field->type() == FieldDescriptor::TYPE_STRING) {
    plan.max_length = kStringLimit;
  }
  if (rules.max_items() > 0) plan.max_items = rules.max_items();
  if (IsInteger(plan.type) && EndsInGrams(field->name())) {
    plan.bounds = {.min = 0, .max = kGramsLimit};
  }
  if (rules.has_min()) plan.bounds.min = rules.min();
  if (rules.has_max()) plan.bounds.max = rules.max();
  if (plan.type == FieldDescriptor::CPPTYPE_ENUM) {
    FindEnumRange(field->enum_type(), plan);
  }
  if (plan.type == FieldDescriptor::CPPTYPE_MESSAGE) {
    plan.child = Make(field->message_type());
  }
  return plan;
}

MessagePlan* ValidationPlans::Make(const Descriptor* type) {
  std::unique_ptr<MessagePlan>& slot = by_type_[type];
  if (slot != nullptr) return slot.get();
  slot = std::make_unique<MessagePlan>();
  MessagePlan* plan = slot.get();
  plan->type = type;
  plan->special = SpecialOf(type);
  for (int i = 0; i < type->field_count(); ++i) {
    // While a recursive type is being planned its inner self counts as checked.
    FieldPlan field = MakeField(type->field(i));
    field.checks_value = ChecksValue(field);
    if (field.repeated || field.required || field.checks_value) {
      plan->fields.push_back(std::move(field));
    }
  }
  for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
    const OneofDescriptor* oneof = type->oneof_decl(i);
    if (IsRequired(oneof)) {
      plan->required_oneofs.push_back({oneof, MemberNames(oneof)});
    }
  }
  plan->checks_something = plan->special != Special::kNone ||
                           !plan->fields.empty() ||
                           !plan->required_oneofs.empty();
  return plan;
}

MessagePlan* ValidationPlans::MakeFrame(const Descriptor* type) {
  frame_ = std::make_unique<MessagePlan>(*Make(type));
  for (FieldPlan& field : frame_->fields) {
    if (field.repeated && field.type == FieldDescriptor::CPPTYPE_MESSAGE) {
      field.checks_value = false;
    }
  }
  return frame_.get();
}

}  // namespace mtp::rpc
