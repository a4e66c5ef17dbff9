#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/sides.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "common/base/weights.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::cli {
namespace {

using namespace ops::v1;  // NOLINT: this file's whole subject
using common::v1::Side;

std::string SyncStatusText(
    const std::vector<std::pair<Side, GetSyncStatusResponse>>& responses) {
  Table table({"SIDE", "PEER", "BREAKER", "PEER HEARD (UTC)", "EPOCH",
               "NOT CONFIRMED", "OLDEST (UTC)", "DEAD LETTERS", "EXCEPTIONS",
               "DRIFT"});
  std::string notes;
  for (const auto& [side, response] : responses) {
    const SyncStatus& status = response.status();
    table.Row(
        {EnumText(side), status.peer_reachable() ? "in reach" : "out of reach",
         EnumText(status.breaker_state()), TimeText(status.peer_heard_at()),
         absl::StrCat(status.epoch(), " (peer ", status.peer_epoch(), ")"),
         status.outbox_count(), TimeText(status.oldest_marked_at()),
         status.open_dead_letter_count(), status.open_exception_count(),
         status.open_drift_count()});
    if (status.open_dead_letter_count() > 0) {
      absl::StrAppend(&notes, EnumText(side),
                      " could not apply all that it was told: `mtpctl sync "
                      "dead-letters list`\n");
    }
    if (status.open_exception_count() > 0) {
      absl::StrAppend(&notes, EnumText(side),
                      " has found what does not fit: `mtpctl exception "
                      "list`\n");
    }
    if (status.recovering()) {
      absl::StrAppend(&notes, EnumText(side),
                      " is taking back what it lost in a restore.\n");
    }
    if (const std::string refusal = EnumText(status.refused_by_peer());
        !refusal.empty()) {
      absl::StrAppend(&notes, EnumText(side),
                      " is refused by its peer: ", refusal, "\n");
      if (status.refused_by_peer() == sync::v1::REFUSAL_VERSIONS_FELL_BACK ||
          status.refused_by_peer() == sync::v1::REFUSAL_EPOCH_SUPERSEDED) {
        absl::StrAppend(&notes,
                        "  Its database was restored from a backup? `mtpctl "
                        "--side ",
                        absl::AsciiStrToLower(EnumText(side)),
                        " sync new-epoch --current ", status.epoch(),
                        " --reason WHY` has it take back what it lost "
                        "(docs/recovery.md).\n");
      }
    }
  }
  return table.Text() + notes;
}

absl::Status ShowSyncStatus(Session& session) {
  GetSyncStatusRequest request;
  return ShowBoth(session, request, SyncStatusText);
}

std::string OutboxText(const Many<OutboxEntry>& entries) {
  if (entries.empty()) return "The other side has confirmed everything.\n";
  Table table({"KIND", "KEY", "VERSION", "SINCE (UTC)", "ATTEMPTS",
               "NEXT (UTC)", "LAST ERROR"});
  bool poisoned = false;
  for (const OutboxEntry& entry : entries) {
    table.Row({EnumText(entry.kind()), entry.key(), entry.version(),
               TimeText(entry.marked_at()), entry.attempt_count(),
               TimeText(entry.next_attempt_at()), entry.last_error()});
    poisoned = poisoned || entry.poisoned();
  }
  return absl::StrCat(
      table.Text(),
      poisoned ? "What the other side could not apply (POISON) is a dead "
                 "letter there, for an operator: `mtpctl sync dead-letters "
                 "list`\n"
               : "");
}

std::string OutboxesText(
    const std::vector<std::pair<common::v1::Side, ListOutboxResponse>>&
        responses) {
  std::string out;
  for (const auto& [side, response] : responses) {
    absl::StrAppend(&out, "Told by ", EnumText(side), ":\n",
                    OutboxText(response.entries()), MoreText(side, response));
  }
  return out;
}

struct WaitArguments {
  WaitForSyncRequest request;
};

absl::Status Wait(Session& session, WaitArguments& arguments) {
  // Told to the service too, so that it answers instead of running late.
  const absl::Duration wait = session.settings().timeout * 0.9;
  arguments.request.mutable_max_wait()->set_seconds(
      absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1))));
  WaitForSyncResponse response;
  RETURN_IF_ERROR(session.Call(arguments.request, response));
  RETURN_IF_ERROR(session.Show(response, [&] {
    if (response.synced()) return std::string("The other side knows.\n");
    return absl::StrCat("The other side does not know yet",
                        response.peer_reachable() ? "" : ": it is out of reach",
                        ".\n", OutboxText(response.open_entries()));
  }));
  return response.synced() ? absl::OkStatus() : AlreadyTold();
}

// The weights that do not fit, as `ordered 500 kg, dispatched 525 kg`.
std::string AmountsText(const Exception& exception) {
  return absl::StrJoin(
      exception.amounts(), ", ", [](std::string* out, const Amount& amount) {
        absl::StrAppend(out, amount.name(), " ", Kilograms(amount.grams()));
      });
}

std::string ThingsText(const Exception& exception) {
  return absl::StrJoin(exception.things(), ", ",
                       [](std::string* out, const common::v1::Thing& thing) {
                         absl::StrAppend(out, thing.kind(), " ", thing.key());
                       });
}

// What it is about, and what became of it, in lines below each other.
std::string ExceptionText(const Exception& exception) {
  Table table;
  table.Row({"exception", exception.exception_id()});
  table.Row({"kind", EnumText(exception.kind())});
  table.Row({"opened (UTC)", TimeText(exception.opened_at())});
  table.Row({"about", ThingsText(exception)});
  if (exception.amounts_size() > 0)
    table.Row({"weights", AmountsText(exception)});
  table.Row({"what", exception.description()});
  table.Row({"who must act",
             absl::StrCat(EnumText(exception.acting_role()), " at the ",
                          EnumText(exception.acting_side()),
                          " side; a MASTER_ADMIN closes it then")});
  for (const std::string& id : exception.correlation_ids())
    table.Row({"correlation id", id});
  if (exception.has_closed_at()) {
    table.Row({"closed (UTC)", TimeText(exception.closed_at())});
    table.Row({"closed by", ActorText(exception.closed_by())});
    table.Row({"how settled", exception.close_reason()});
  }
  return table.Text();
}

std::string ExceptionsText(
    const std::vector<std::pair<Side, ListExceptionsResponse>>& responses) {
  std::string text;
  for (const auto& [side, response] : responses) {
    for (const Exception& exception : response.exceptions()) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", "found by     ",
                      EnumText(side), "\n", ExceptionText(exception));
    }
    if (!response.next_page_token().empty()) {
      absl::StrAppend(&text, "\n", EnumText(side),
                      " has more; --limit says how many are shown.\n");
    }
  }
  return text.empty() ? "none\n" : text;
}

struct ExceptionsArguments {
  ListExceptionsRequest request;
  std::string about;
};

absl::Status ListThem(Session& session, ExceptionsArguments& arguments) {
  if (!arguments.about.empty()) {
    const size_t colon = arguments.about.find(':');
    arguments.request.mutable_thing()->set_kind(
        arguments.about.substr(0, colon));
    if (colon != std::string::npos) {
      arguments.request.mutable_thing()->set_key(
          arguments.about.substr(colon + 1));
    }
  }
  std::vector<std::pair<Side, ListExceptionsResponse>> responses;
  const absl::Status status = AskSides(session, arguments.request, responses);
  if (session.settings().json) {
    PrintSides(session, responses);
  } else if (!responses.empty()) {
    session.out() << ExceptionsText(responses);
  }
  return status;
}

void AddExceptions(CLI::App& app, Session& session) {
  CLI::App& group =
      Group(app, "exception",
            "Facts of the two sides that do not fit, until a person has "
            "settled them");
  auto arguments = std::make_shared<ExceptionsArguments>();
  CLI::App& list = *group.add_subcommand(
      "list", "The open ones of both sides (--side: of one)");
  Bind(list, "--kind", arguments->request, "kinds", "Only of this kind");
  Bind(list, "--role", arguments->request, "acting_role",
       "Only those that this role must settle");
  Bind(list, "--closed", arguments->request, "with_closed", "Closed ones too");
  Bind(list, "--limit", arguments->request, "page_size",
       "At most so many of a side; 50 if not said");
  list.add_option("--about", arguments->about,
                  "Only those about this, as shipment:17/1 or shipment")
      ->type_name("THING");
  list.callback([&session, arguments] {
    session.Do([&session, arguments] { return ListThem(session, *arguments); });
  });

  Verb<CloseExceptionRequest, CloseExceptionResponse>(
      group, session, "close",
      "Says that one is settled (--side: the one that found it)")
      .Argument("ID", "exception_id", "The exception")
      .Needed("--reason", "reason", "How it was settled")
      .Shows([](const auto& response) {
        return ExceptionText(response.exception());
      });
}

void AddSync(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "sync", "How the two sides stand");
  group.add_subcommand("status", "Whether they agree, and since when not")
      ->callback([&session] {
        session.Do([&session] { return ShowSyncStatus(session); });
      });

  auto marks = std::make_shared<ListOutboxRequest>();
  CLI::App& outbox = *group.add_subcommand(
      "outbox", "What the other one has not confirmed (--side: to one side)");
  Bind(outbox, "--kind", *marks, "kinds", "Only of this kind");
  Bind(outbox, "--key", *marks, "key", "Only of this thing, as 17/1");
  Bind(outbox, "--failed", *marks, "only_failed", "Only what failed");
  Bind(outbox, "--limit", *marks, "page_size",
       "At most so many of a side; 50 if not said");
  outbox.callback([&session, marks] {
    session.Do(
        [&session, marks] { return ShowBoth(session, *marks, OutboxesText); });
  });

  AddLinkCommands(group, session);

  auto arguments = std::make_shared<WaitArguments>();
  CLI::App& wait = *group.add_subcommand(
      "wait",
      "Waits until the other side knows what a reply told it (--side: who "
      "gave the token; --timeout: how long)");
  Bind(wait, "TOKEN", arguments->request, "sync_token",
       "The reply's sync_token, as --json shows it")
      ->required();
  wait.callback([&session, arguments] {
    session.Do([&session, arguments] { return Wait(session, *arguments); });
  });
}

absl::Status ReadKeepFor(const std::string& text, SetLogLevelRequest& request) {
  absl::Duration keep_for;
  if (!absl::ParseDuration(text, &keep_for) || keep_for < absl::Seconds(1)) {
    return UsageError(
        absl::StrCat("`", text, "` is no time: 10m, 90s or 2h, at most 24h"));
  }
  request.mutable_keep_for()->set_seconds(absl::ToInt64Seconds(keep_for));
  return absl::OkStatus();
}

void AddLogLevel(CLI::App& app, Session& session) {
  // Whoever reads the reply knows for how long.
  auto keep_for = std::make_shared<int64_t>(0);
  Verb<SetLogLevelRequest, SetLogLevelResponse>(
      app, session, "log-level",
      "Sets what a service logs, at least (--side says which)")
      .Argument("LEVEL", "level", "The least level that is logged")
      .Looked("--for", "TIME",
              "After this long, as 10m, the level before returns", false,
              ReadKeepFor)
      .Prepared([keep_for](SetLogLevelRequest& request) {
        *keep_for = request.keep_for().seconds();
        return absl::OkStatus();
      })
      .Shows([keep_for](const auto& response) {
        return absl::StrCat(
            response.instance(), " logs ", EnumText(response.level()),
            " and above", *keep_for > 0 ? " for " : "",
            *keep_for > 0 ? absl::FormatDuration(absl::Seconds(*keep_for)) : "",
            "; before, ", EnumText(response.previous_level()), ".\n");
      });
}

absl::Status ShowVersions(Session& session) {
  if (!session.settings().json) {
    session.out() << "mtpctl " << MTP_VERSION << "\n";
  }
  GetVersionRequest request;
  std::vector<std::pair<Side, GetVersionResponse>> responses;
  const absl::Status status = AskSides(session, request, responses);
  if (session.settings().json) {
    PrintSides(session, responses);
    return status;
  }
  if (responses.empty()) return status;
  Table table({"SIDE", "VERSION", "SOURCE", "SCHEMA", "CONTRACT", "TIME ZONE",
               "SINCE (UTC)"});
  for (const auto& [side, response] : responses) {
    std::string schema;
    for (const auto& version : response.schema_versions()) {
      absl::StrAppend(&schema, schema.empty() ? "" : ", ", version.project(),
                      " ", version.change());
    }
    table.Row({EnumText(side), response.service_version(),
               response.source_revision().substr(0, 12), schema,
               response.contract_digest().substr(0, 12), response.time_zone(),
               TimeText(response.started_at())});
  }
  session.out() << table.Text();
  return status;
}

}  // namespace

void AddOperationsCommands(CLI::App& app, Session& session) {
  AddSync(app, session);
  AddExceptions(app, session);
  AddLogLevel(app, session);
  app.add_subcommand("version", "Of this program and both services")
      ->callback([&session] {
        session.Do([&session] { return ShowVersions(session); });
      });
}

}  // namespace mtp::cli
