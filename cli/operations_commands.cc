#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::cli {
namespace {

using namespace ops::v1;  // NOLINT: this file's whole subject
using common::v1::Side;

constexpr std::array kSides = {common::v1::SIDE_ORDER,
                               common::v1::SIDE_PROCESSING};

// Asks both sides, or the one that --side says. A side that does not answer is
// shown with its reason; the first such failure is the command's.
template <typename Request, typename Response>
absl::Status AskSides(Session& session, Request& request,
                      std::vector<std::pair<Side, Response>>& responses) {
  absl::Status first;
  FailedCall failed;
  for (const Side side : kSides) {
    const std::string name = EnumText(side);
    if (!session.settings().side.empty() &&
        !absl::EqualsIgnoreCase(session.settings().side, name)) {
      continue;
    }
    Response response;
    const absl::Status status = session.CallSide(
        side, options::v1::ROLE_UNSPECIFIED, request, response);
    if (status.ok()) {
      responses.emplace_back(side, std::move(response));
    } else if (first.ok()) {
      first = status;
      failed = session.last_call();
    }
  }
  if (!first.ok()) session.Blame(std::move(failed));
  return first;
}

// Several responses as one JSON object, a member for each side.
template <typename Response>
void PrintSides(Session& session,
                const std::vector<std::pair<Side, Response>>& responses) {
  session.out() << "{"
                << absl::StrJoin(responses, ",\n ",
                                 [](std::string* out, const auto& response) {
                                   absl::StrAppend(
                                       out, "\"", EnumText(response.first),
                                       "\": ", JsonOf(response.second));
                                 })
                << "}\n";
}

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
    if (status.recovering()) {
      absl::StrAppend(&notes, EnumText(side),
                      " is taking back what it lost in a restore.\n");
    }
    if (const std::string refusal = EnumText(status.refused_by_peer());
        !refusal.empty()) {
      absl::StrAppend(&notes, EnumText(side),
                      " is refused by its peer: ", refusal, "\n");
    }
  }
  return table.Text() + notes;
}

absl::Status ShowSyncStatus(Session& session) {
  GetSyncStatusRequest request;
  std::vector<std::pair<Side, GetSyncStatusResponse>> responses;
  const absl::Status status = AskSides(session, request, responses);
  if (session.settings().json) {
    PrintSides(session, responses);
  } else if (!responses.empty()) {
    session.out() << SyncStatusText(responses);
  }
  return status;
}

std::string OutboxText(const Many<OutboxEntry>& entries) {
  if (entries.empty()) return "The other side has confirmed everything.\n";
  Table table({"KIND", "KEY", "VERSION", "SINCE (UTC)", "ATTEMPTS",
               "NEXT (UTC)", "LAST ERROR"});
  for (const OutboxEntry& entry : entries) {
    table.Row({EnumText(entry.kind()), entry.key(), entry.version(),
               TimeText(entry.marked_at()), entry.attempt_count(),
               TimeText(entry.next_attempt_at()), entry.last_error()});
  }
  return table.Text();
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

std::string ExceptionsText(const ListExceptionsResponse& response) {
  if (response.exceptions().empty()) return "none\n";
  Table table({"WHEN (UTC)", "KIND", "WHAT", "WHO MUST ACT", "ID"});
  for (const auto& exception : response.exceptions()) {
    table.Row({TimeText(exception.opened_at()), EnumText(exception.kind()),
               exception.description(), EnumText(exception.acting_role()),
               exception.exception_id()});
  }
  return table.Text();
}

void AddSync(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "sync", "How the two sides stand");
  group.add_subcommand("status", "Whether they agree, and since when not")
      ->callback([&session] {
        session.Do([&session] { return ShowSyncStatus(session); });
      });

  Verb<ListOutboxRequest, ListOutboxResponse>(
      group, session, "outbox",
      "What the other side has not confirmed (--side says whose)")
      .Option("--kind", "kinds", "Only of this kind")
      .Option("--key", "key", "Only of this thing, as 17/1")
      .Option("--failed", "only_failed", "Only what failed")
      .Shows(
          [](const auto& response) { return OutboxText(response.entries()); });

  Verb<ListExceptionsRequest, ListExceptionsResponse>(
      group, session, "exceptions",
      "What does not fit together (--side says whose)")
      .Option("--kind", "kinds", "Only of this kind")
      .Option("--closed", "with_closed", "Closed ones too")
      .Shows(ExceptionsText);

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
  app.add_subcommand("version", "Of this program and both services")
      ->callback([&session] {
        session.Do([&session] { return ShowVersions(session); });
      });
}

}  // namespace mtp::cli
