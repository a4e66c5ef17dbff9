#include "cli/verb.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "cli/fields.h"

namespace mtp::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The command line's own reading of what SetField would say.
std::string Fault(const Message& request, const std::string& path,
                  const std::string& text) {
  const std::unique_ptr<Message> scratch(request.New());
  return std::string(SetField(*scratch, path, text).message());
}

std::string NoCount(const std::string& text) {
  int64_t count = 0;
  return absl::SimpleAtoi(text, &count) && count > 0
             ? ""
             : "`" + text + "` is no count: 1 or more";
}

}  // namespace

CLI::Option* Bind(CLI::App& command, const std::string& names, Message& request,
                  const std::string& path, const std::string& help) {
  const FieldDescriptor* field = FindField(*request.GetDescriptor(), path);
  GOOGLE_CHECK(field != nullptr)
      << request.GetDescriptor()->full_name() << " has no field " << path;
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL &&
      (!field->has_presence() || field->real_containing_oneof() != nullptr)) {
    return command.add_flag_callback(
        names,
        [&request, path] { SetField(request, path, "yes").IgnoreError(); },
        help);
  }
  CLI::Option* option = nullptr;
  if (field->is_repeated()) {
    option = command.add_option_function<std::vector<std::string>>(
        names,
        [&request, path](const std::vector<std::string>& texts) {
          for (const std::string& text : texts) {
            SetField(request, path, text).IgnoreError();
          }
        },
        help);
    // What follows the option's value is an argument again.
    if (!option->get_positional()) option->allow_extra_args(false);
  } else {
    option = command.add_option_function<std::string>(
        names,
        [&request, path](const std::string& text) {
          SetField(request, path, text).IgnoreError();
        },
        help);
  }
  return option->type_name(ValueName(*field))
      ->check([&request, path](const std::string& text) {
        return Fault(request, path, text);
      });
}

void MakeOwner(Message& request, const std::string& path) {
  const FieldDescriptor* owner =
      FindField(*request.GetDescriptor(), path.substr(0, path.rfind('.')));
  request.GetReflection()->MutableMessage(&request, owner);
}

CLI::App& Group(CLI::App& app, const std::string& name,
                const std::string& help) {
  CLI::App* group = app.add_subcommand(name, help);
  group->require_subcommand(1);
  return *group;
}

void BindUsual(CLI::App& command, Message& request, ListOptions& list) {
  const auto has = [&](const char* name) {
    return FindField(*request.GetDescriptor(), name) != nullptr;
  };
  if (has("occurred_at")) {
    Bind(command, "--occurred-at", request, "occurred_at",
         "When it happened, if it is told later");
  }
  if (has("etag")) {
    Bind(command, "--etag", request, "etag",
         "Only if it is still as it was read");
  }
  if (!has("page_size")) return;
  if (has("search")) {
    Bind(command, "--search", request, "search",
         "A part of its texts; of the audit trail: of the remarks");
  }
  if (has("order_by")) {
    Bind(command, "--order-by", request, "order_by", "What comes first");
  }
  command.add_option("--limit", list.limit, "At most so many")
      ->type_name("COUNT")
      ->check(NoCount)
      ->capture_default_str();
  command.add_flag("--all", list.all, "All of them");
}

}  // namespace mtp::cli
