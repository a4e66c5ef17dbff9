#include "cli/program.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "cli/commands.h"
#include "cli/failures.h"
#include "common/base/uuid.h"
#include "common/rpc/token.h"
#include "common/rpc/validation_formats.h"

namespace mtp::cli {
namespace {

std::string NoRole(const std::string& text) {
  return rpc::ParseRoleName(absl::AsciiStrToUpper(text)) ==
                 options::v1::ROLE_UNSPECIFIED
             ? "`" + text + "` is no role"
             : "";
}

std::string NoUuid(const std::string& text) {
  return Uuid::Parse(text).has_value() ? "" : "`" + text + "` is no UUID";
}

std::string NoTimeout(const std::string& text) {
  absl::Duration duration;
  return absl::ParseDuration(text, &duration) && duration > absl::ZeroDuration()
             ? ""
             : "`" + text + "` is no time like 30s or 2m";
}

std::string NoCorrelationId(const std::string& text) {
  return rpc::FormatViolation(options::v1::FORMAT_CORRELATION_ID, text) ==
                 nullptr
             ? ""
             : "`" + text +
                   "` is no correlation id: it has 1 to 128 visible ASCII "
                   "characters";
}

// What is wrong with a command line: above all, which command is missing or
// not there.
std::string FailureMessage(const CLI::App* app, const CLI::Error& error) {
  const CLI::App* group = app;
  while (!group->get_subcommands().empty()) {
    group = group->get_subcommands().front();
  }
  const std::vector<const CLI::App*> commands =
      group->get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty() ||
      dynamic_cast<const CLI::RequiredError*>(&error) == nullptr) {
    return CLI::FailureMessage::simple(app, error);
  }
  const std::vector<std::string> unknown = app->remaining(true);
  const std::string path =
      group == app ? app->get_name()
                   : absl::StrCat(app->get_name(), " ", group->get_name());
  return absl::StrCat(
      unknown.empty()
          ? absl::StrCat("which command? ")
          : absl::StrCat("no such command: ", unknown.front(), ". "),
      path, " has ",
      absl::StrJoin(commands, ", ",
                    [](std::string* out, const CLI::App* command) {
                      out->append(command->get_name());
                    }),
      ".\nRun with --help for more information.\n");
}

void AddSettings(CLI::App& app, Session& session) {
  Settings& settings = session.settings();
  const auto text = [&](const char* name, const char* variable,
                        std::string& value, const char* help) {
    return app.add_option(name, value, help)->envname(variable);
  };
  text("--order", "MTP_ORDER", settings.order, "The order service")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  text("--processing", "MTP_PROCESSING", settings.processing,
       "The processing service")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  text("--ca", "MTP_CA", settings.ca,
       "Certificate of the authority that signed the services' certificates; "
       "by default the local stack's")
      ->type_name("FILE");
  text("--server-name", "MTP_SERVER_NAME", settings.server_name,
       "The name in their certificates, if it is not the host's");
  text("--token", "MTP_TOKEN", settings.token,
       "Who asks: a signed token, or @FILE that holds one and is read anew for "
       "each call; by default whom sign-in signed in")
      ->check([](const std::string& token) {
        return token.empty() ? "an empty token is nobody's" : "";
      });
  app.add_option("--as", settings.as,
                 "Who asks on the local stack; by default, while nobody is "
                 "signed in, somebody who may")
      ->type_name("ROLE")
      ->check(NoRole);
  app.add_option("--side", settings.side,
                 "Ask this side, which passes on what is the other's; by "
                 "default the one the method belongs to, for operations the "
                 "order side")
      ->envname("MTP_SIDE")
      ->check(CLI::IsMember({"order", "processing"}, CLI::ignore_case));
  app.add_option_function<std::string>(
         "--timeout",
         [&settings](const std::string& value) {
           absl::ParseDuration(value, &settings.timeout);
         },
         "How long a call may take (30s)")
      ->type_name("TIME")
      ->check(NoTimeout);
  app.add_option("--correlation-id", settings.correlation_id,
                 "The id by which logs and audit trail find the call")
      ->check(NoCorrelationId);
  app.add_option("--request-id", settings.request_id,
                 "Repeat a call under the id it had: it is done once")
      ->type_name("UUID")
      ->check(NoUuid);
  app.add_flag("--json", settings.json, "Print JSON for programs");
}

}  // namespace

std::unique_ptr<CLI::App> MakeProgram(Session& session) {
  auto app = std::make_unique<CLI::App>(
      "mtpctl: the tea platform on the command line", "mtpctl");
  // So that `mtpctl plan list --json` is understood as well.
  app->fallthrough();
  app->require_subcommand(1);
  app->failure_message(FailureMessage);
  app->set_version_flag("--version", MTP_VERSION);
  app->footer(std::string("Weights are written with their unit: 500kg, "
                          "62.5kg, 1200g. Shipments are written 17/1.\n") +
              kExitCodesHelp);
  AddSettings(*app, session);

  AddDemoCommand(*app, session);
  AddSeedCommand(*app, session);
  AddCheckCommand(*app, session);
  AddPlanCommands(*app, session);
  AddRequestCommands(*app, session);
  AddShipmentCommands(*app, session);
  AddScheduleCommands(*app, session);
  AddLocationCommands(*app, session);
  AddMaterialCommands(*app, session);
  AddRecipeCommands(*app, session);
  AddBatchCommands(*app, session);
  AddBagCommands(*app, session);
  AddStockCommands(*app, session);
  AddPaperCommands(*app, session);
  AddAllocationCommands(*app, session);
  AddOutboundCommands(*app, session);
  AddTraceCommands(*app, session);
  AddActivityCommands(*app, session);
  AddSpoolCommands(*app, session);
  AddIdentityCommands(*app, session);
  AddOperationsCommands(*app, session);
  AddCorrelationCommand(*app, session);
  AddAuditCommands(*app, session);
  AddContractCommands(*app, session);
  AddCompletionCommand(*app, session);
  return app;
}

}  // namespace mtp::cli
