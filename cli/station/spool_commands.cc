#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/station/spool.h"
#include "cli/station/watch.h"
#include "cli/table.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

using nlohmann::json;

struct SpoolArguments {
  std::string path = Spool::DefaultPath();
  std::vector<int64_t> numbers;
  bool refused = false;
  std::string reason;
};

const char* StateOf(const Spool::Entry& entry) {
  if (entry.state == Spool::State::kRefused) return "REFUSED";
  return entry.tried_at.has_value() ? "TRIED" : "WAITING";
}

// What is kept: done entries are gone.
absl::Status List(Session& session, const SpoolArguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Spool> spool,
                   Spool::Look(arguments.path));
  Table table(
      {"ENTRY", "READ (UTC)", "STATE", "CALL", "LINE", "CALLER", "WHY NOT"});
  json list = json::array();
  for (const auto& [number, entry] : spool->entries()) {
    table.Row({number, TimeText(ToProto(entry.at)), StateOf(entry),
               entry.method.substr(entry.method.find('/') + 1), entry.line,
               entry.CallerText(), entry.why});
    list.push_back({{"entry", number},
                    {"at", TimeText(ToProto(entry.at))},
                    {"state", StateOf(entry)},
                    {"method", entry.method},
                    {"request", json::parse(JsonOf(*entry.request, false),
                                            nullptr, false)},
                    {"line", entry.line},
                    {"caller", entry.caller},
                    {"person", entry.person},
                    {"why", entry.why}});
  }
  if (session.settings().json) {
    session.out() << list.dump(2, ' ', false, json::error_handler_t::replace)
                  << "\n";
  } else {
    session.out() << TextOrNone(table);
  }
  return absl::OkStatus();
}

absl::Status Missing(int64_t number) {
  return UsageError(absl::StrCat("the spool keeps no entry ", number));
}

absl::Status Send(Session& session, const SpoolArguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Spool> spool,
                   Spool::Open(arguments.path));
  for (const int64_t number : arguments.numbers) {
    const auto found = spool->entries().find(number);
    if (found == spool->entries().end()) return Missing(number);
    if (found->second.state == Spool::State::kRefused) {
      RETURN_IF_ERROR(spool->Again(number, absl::Now()));
    }
  }
  return SendSpool(session, *spool);
}

absl::Status Drop(Session& session, const SpoolArguments& arguments) {
  if (arguments.numbers.empty() != arguments.refused) {
    return UsageError("say which: ENTRY, or --refused for all refused ones");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Spool> spool,
                   Spool::Open(arguments.path));
  std::vector<int64_t> numbers = arguments.numbers;
  if (arguments.refused) {
    for (const auto& [number, entry] : spool->entries()) {
      if (entry.state == Spool::State::kRefused) numbers.push_back(number);
    }
  }
  for (const int64_t number : numbers) {
    if (!spool->entries().contains(number)) return Missing(number);
    RETURN_IF_ERROR(spool->Drop(number, arguments.reason));
    session.out() << "dropped " << number << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

void AddSpoolCommands(CLI::App& app, Session& session) {
  CLI::App& group = *app.add_subcommand(
      "spool", "What stations recorded and the service has not taken yet");
  group.require_subcommand(1);
  auto arguments = std::make_shared<SpoolArguments>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*act)(Session&, const SpoolArguments&)) {
    CLI::App& command = *group.add_subcommand(name, help);
    command.add_option("--spool", arguments->path, "Which")
        ->type_name("FILE")
        ->capture_default_str();
    command.callback([&session, arguments, act] {
      session.Do(
          [&session, arguments, act] { return act(session, *arguments); });
    });
    return &command;
  };
  add("list",
      "What waits, what may have been done (TRIED), what was refused and why",
      List);
  add("send", "Sends what waits, and those that are named once more", Send)
      ->add_option("ENTRY", arguments->numbers, "Refused ones to ask again");
  CLI::App& drop = *add("drop", "Takes entries out, for good", Drop);
  drop.add_option("ENTRY", arguments->numbers, "Which");
  drop.add_flag("--refused", arguments->refused, "All that were refused");
  drop.add_option("--reason", arguments->reason, "Why, for the file")
      ->required();
}

}  // namespace mtp::cli
