#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/contract.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "common/rpc/token.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using nlohmann::json;

std::unique_ptr<Message> NewMessage(const Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(type)
          ->New());
}

// The JSON itself, `@FILE`, or `-` for standard input.
absl::StatusOr<std::string> ReadArgument(const std::string& argument) {
  if (argument == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
  }
  if (argument.empty() || argument.front() != '@') return argument;
  std::ifstream file(argument.substr(1), std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) return UsageError("cannot read " + argument.substr(1));
  return text;
}

absl::StatusOr<std::unique_ptr<Message>> ParseMessage(const Descriptor* type,
                                                      const std::string& text) {
  std::unique_ptr<Message> message = NewMessage(type);
  const auto status =
      google::protobuf::util::JsonStringToMessage(text, message.get());
  if (!status.ok()) {
    return UsageError(absl::StrCat("not a ", type->name(), ": ",
                                   std::string(status.message())));
  }
  return message;
}

// One message, or for a client stream an array of messages.
absl::StatusOr<std::vector<std::unique_ptr<Message>>> ParseMessages(
    const MethodDescriptor& method, const std::string& text) {
  std::vector<std::unique_ptr<Message>> messages;
  const json value = json::parse(text, nullptr, false);
  if (method.client_streaming() && value.is_array()) {
    for (const json& item : value) {
      ASSIGN_OR_RETURN(messages.emplace_back(),
                       ParseMessage(method.input_type(), item.dump()));
    }
  } else {
    ASSIGN_OR_RETURN(messages.emplace_back(),
                     ParseMessage(method.input_type(), text));
  }
  return messages;
}

struct CallArguments {
  std::string method;
  std::string json = "{}";
};

absl::Status Call(Session& session, const CallArguments& arguments) {
  const absl::StatusOr<const MethodDescriptor*> found =
      FindMethod(arguments.method);
  if (!found.ok()) return UsageError(std::string(found.status().message()));
  const MethodDescriptor& method = **found;
  ASSIGN_OR_RETURN(const std::string text, ReadArgument(arguments.json));
  ASSIGN_OR_RETURN(const auto requests, ParseMessages(method, text));
  const std::unique_ptr<Message> response = NewMessage(method.output_type());
  if (method.server_streaming()) {
    return session.ReadStream(*requests.front(), *response, [&] {
      session.out() << JsonOf(*response) << std::flush;
    });
  }
  if (method.client_streaming()) {
    size_t sent = 0;
    RETURN_IF_ERROR(session.SendStream(
        method,
        [&](Message& message) {
          if (sent == requests.size()) return false;
          message.CopyFrom(*requests[sent++]);
          return true;
        },
        *response));
  } else {
    RETURN_IF_ERROR(session.Call(*requests.front(), *response));
  }
  session.out() << JsonOf(*response);
  return absl::OkStatus();
}

struct MethodsArguments {
  std::string pattern;
  bool names = false;
};

bool Matches(const MethodDescriptor& method, const std::string& pattern) {
  const std::string text =
      absl::StrCat(MethodName(method), " ", AccessText(method));
  return absl::StrContains(absl::AsciiStrToLower(text),
                           absl::AsciiStrToLower(pattern));
}

std::string StreamText(const MethodDescriptor& method) {
  if (method.client_streaming()) return "client";
  return method.server_streaming() ? "server" : "";
}

absl::Status ListMethods(Session& session, const MethodsArguments& arguments) {
  Table table({"METHOD", "STREAM", "WHO MAY"});
  json list = json::array();
  for (const MethodDescriptor* method : AllMethods()) {
    if (!Matches(*method, arguments.pattern)) continue;
    if (arguments.names) {
      session.out() << MethodName(*method) << "\n";
      continue;
    }
    table.Row({MethodName(*method), StreamText(*method), AccessText(*method)});
    json roles = json::array();
    for (const auto role : RolesOf(*method)) {
      roles.push_back(rpc::RoleName(role));
    }
    list.push_back({{"method", MethodName(*method)},
                    {"stream", StreamText(*method)},
                    {"access", AccessText(*method)},
                    {"roles", roles}});
  }
  if (arguments.names) return absl::OkStatus();
  if (session.settings().json) {
    session.out() << list.dump(2) << "\n";
  } else {
    session.out() << (table.IsEmpty() ? "none\n" : table.Text());
  }
  return absl::OkStatus();
}

// A year: a token that never ends is a key that nobody can take back.
constexpr absl::Duration kLongestLifetime = absl::Hours(8'760);

struct TokenArguments {
  std::string role;
  std::string lifetime = "1h";
};

absl::Status PrintToken(Session& session, const TokenArguments& arguments) {
  const options::v1::Role role =
      rpc::ParseRoleName(absl::AsciiStrToUpper(arguments.role));
  if (role == options::v1::ROLE_UNSPECIFIED) {
    return UsageError(absl::StrCat("`", arguments.role, "` is no role"));
  }
  absl::Duration lifetime;
  if (!absl::ParseDuration(arguments.lifetime, &lifetime) ||
      lifetime <= absl::ZeroDuration() || lifetime > kLongestLifetime) {
    return UsageError("--lifetime is a time like 30m or 8h, at most 8760h");
  }
  if (!session.local_stack().has_value()) {
    return UsageError(
        "tokens are made for the local stack only: run in its checkout or set "
        "MTP_HOME");
  }
  ASSIGN_OR_RETURN(
      const std::string token,
      LocalToken(*session.local_stack(), role, absl::Now(), lifetime));
  if (session.settings().json) {
    session.out() << json{{"token", token}, {"role", rpc::RoleName(role)}}
                  << "\n";
  } else {
    session.out() << token << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

void AddContractCommands(CLI::App& app, Session& session) {
  auto call = std::make_shared<CallArguments>();
  CLI::App& call_command = *app.add_subcommand(
      "call", "Calls any method with JSON; what comes back is JSON");
  call_command
      .add_option("METHOD", call->method,
                  "As BagService/ReceiveBag; enough of it to be the only one")
      ->required();
  call_command.add_option(
      "JSON", call->json,
      "The request, or @FILE, or - for standard input; for a client stream "
      "also an array of messages");
  call_command.callback([&session, call] {
    session.Do([&session, call] { return Call(session, *call); });
  });

  auto methods = std::make_shared<MethodsArguments>();
  CLI::App& methods_command =
      *app.add_subcommand("methods", "The contract: every method and who may");
  methods_command.add_option("PATTERN", methods->pattern,
                             "A part of a name or a role");
  methods_command.add_flag("--names", methods->names, "Names only");
  methods_command.callback([&session, methods] {
    session.Do([&session, methods] { return ListMethods(session, *methods); });
  });

  auto token = std::make_shared<TokenArguments>();
  CLI::App& token_command =
      *app.add_subcommand("token", "A token of the local stack for a role");
  token_command.add_option("ROLE", token->role, "As GRANDPASS_OFFICER")
      ->required();
  token_command
      .add_option("--lifetime", token->lifetime, "How long it is good for")
      ->capture_default_str();
  token_command.callback([&session, token] {
    session.Do([&session, token] { return PrintToken(session, *token); });
  });
}

}  // namespace mtp::cli
