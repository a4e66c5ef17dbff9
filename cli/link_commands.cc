#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/sides.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/ops/v1/operations.pb.h"
#include "nlohmann/json.hpp"

// What an operator does about the link of the two sides: dead letters, drift,
// circuit breakers.
namespace mtp::cli {
namespace {

using namespace ops::v1;  // NOLINT: this file's whole subject
using common::v1::Side;

// --- dead letters

std::string LettersText(
    const std::vector<std::pair<Side, ListDeadLettersResponse>>& responses) {
  Table table({"SIDE", "DEAD LETTER", "KIND", "KEY", "VERSION",
               "RECEIVED (UTC)", "ATTEMPTS", "LAST (UTC)", "STATE", "REASON",
               "MESSAGE"});
  std::string notes;
  bool open = false;
  for (const auto& [side, response] : responses) {
    for (const DeadLetter& letter : response.dead_letters()) {
      table.Row({EnumText(side), letter.dead_letter_id(),
                 EnumText(letter.kind()), letter.key(), letter.version(),
                 TimeText(letter.received_at()), letter.attempt_count(),
                 TimeText(letter.last_attempt_at()), EnumText(letter.state()),
                 letter.reason(), letter.message()});
      open = open || letter.state() == DEAD_LETTER_STATE_OPEN;
    }
    notes += MoreText(side, response);
  }
  if (open) {
    absl::StrAppend(
        &notes,
        "`mtpctl --side SIDE sync dead-letters show ID` shows what it says. "
        "Mend the cause and `retry ID`; or go without it, until a newer "
        "version is told: `drop ID --reason WHY`.\n");
  }
  return TextOrNone(table) + notes;
}

// In lines below each other.
std::string LetterText(const DeadLetter& letter) {
  Table table;
  table.Row({"dead letter", letter.dead_letter_id()});
  table.Row({"kind", EnumText(letter.kind())});
  table.Row({"key", letter.key()});
  table.Row({"version",
             absl::StrCat(letter.version(), " (epoch ", letter.epoch(), ")")});
  table.Row({"reason", letter.reason()});
  table.Row({"message", letter.message()});
  table.Row({"received (UTC)", TimeText(letter.received_at())});
  table.Row({"attempts", letter.attempt_count()});
  table.Row({"last (UTC)", TimeText(letter.last_attempt_at())});
  table.Row({"state", EnumText(letter.state())});
  for (const std::string& id : letter.correlation_ids())
    table.Row({"correlation id", id});
  if (letter.has_settled_at())
    table.Row({"settled (UTC)", TimeText(letter.settled_at())});
  if (letter.has_settled_by())
    table.Row({"settled by", ActorText(letter.settled_by())});
  if (!letter.drop_reason().empty())
    table.Row({"why dropped", letter.drop_reason()});
  return table.Text();
}

std::string PrintableLines(const std::string& text) {
  return absl::StrJoin(
      absl::StrSplit(text, '\n'), "\n",
      [](std::string* out, absl::string_view line) {
        out->append(Printable(std::string_view(line.data(), line.size())));
      });
}

std::string WholeLetterText(const GetDeadLetterResponse& response) {
  const auto state = nlohmann::ordered_json::parse(
      response.state_json(), nullptr, /*allow_exceptions=*/false);
  return absl::StrCat(LetterText(response.dead_letter()), "\n",
                      state.is_discarded()
                          ? absl::StrCat("Its ", response.state().size(),
                                         " bytes cannot be read.")
                          : PrintableLines(state.dump(2)),
                      "\n");
}

std::string VerdictText(const sync::v1::Verdict& verdict) {
  switch (verdict.code()) {
    case sync::v1::VERDICT_CODE_APPLIED:
      return "It was applied. The other side learns so when it offers it "
             "again, in a minute or so.\n";
    case sync::v1::VERDICT_CODE_STALE:
      return "It is settled: what is here is as new, or newer.\n";
    default:
      return absl::StrCat("It still cannot be applied: ", verdict.reason(),
                          ": ", verdict.message(), "\n");
  }
}

absl::Status Retry(Session& session, RetryDeadLetterRequest& request) {
  RetryDeadLetterResponse response;
  RETURN_IF_ERROR(session.Call(request, response));
  RETURN_IF_ERROR(session.Show(response, [&] {
    return VerdictText(response.verdict()) + LetterText(response.dead_letter());
  }));
  return response.verdict().code() == sync::v1::VERDICT_CODE_POISON
             ? AlreadyTold()
             : absl::OkStatus();
}

void AddDeadLetters(CLI::App& sync, Session& session) {
  CLI::App& group =
      Group(sync, "dead-letters",
            "What one side told and the other could not apply, until somebody "
            "settles it");
  auto request = std::make_shared<ListDeadLettersRequest>();
  CLI::App& list = *group.add_subcommand(
      "list", "The open ones of both sides (--side: of one)");
  Bind(list, "--kind", *request, "kinds", "Only of this kind");
  Bind(list, "--key", *request, "key", "Only of this thing, as 17/1");
  Bind(list, "--state", *request, "states", "Those in this state instead");
  Bind(list, "--reason", *request, "reason", "Only with this reason");
  Bind(list, "--limit", *request, "page_size",
       "At most so many of a side; 50 if not said");
  list.callback([&session, request] {
    session.Do([&session, request] {
      return ShowBoth(session, *request, LettersText);
    });
  });

  Verb<GetDeadLetterRequest, GetDeadLetterResponse>(
      group, session, "show",
      "One, with the state it holds (--side: the one that could not apply it)")
      .Argument("ID", "dead_letter_id", "The dead letter")
      .Shows(WholeLetterText);

  auto retried = std::make_shared<RetryDeadLetterRequest>();
  CLI::App& retry = *group.add_subcommand(
      "retry",
      "Applies one once more (--side: the one that could not); ends with 2 if "
      "it still cannot be");
  Bind(retry, "ID", *retried, "dead_letter_id", "The dead letter")->required();
  retry.callback([&session, retried] {
    session.Do([&session, retried] { return Retry(session, *retried); });
  });

  Verb<DropDeadLetterRequest, DropDeadLetterResponse>(
      group, session, "drop",
      "Gives one up (--side: the one that could not apply it): that side goes "
      "without it until it is told a newer version")
      .Argument("ID", "dead_letter_id", "The dead letter")
      .Needed("--reason", "reason", "Why that side can go without it")
      .Shows([](const auto& response) {
        return LetterText(response.dead_letter()) +
               "The other side learns so when it offers it again, in a minute "
               "or so, and forgets it then.\n";
      });
}

// --- breakers

std::string BreakersText(
    const std::vector<std::pair<Side, GetBreakersResponse>>& responses) {
  Table table({"SIDE", "TO", "STATE", "FAILURES", "LAST FAILED (UTC)",
               "OPENED (UTC)", "NEXT PROBE (UTC)", "LAST ERROR"});
  bool open = false;
  for (const auto& [side, response] : responses) {
    for (const Breaker& breaker : response.breakers()) {
      table.Row({EnumText(side), breaker.name(), EnumText(breaker.state()),
                 breaker.failure_count(), TimeText(breaker.last_failed_at()),
                 TimeText(breaker.opened_at()),
                 TimeText(breaker.next_probe_at()), breaker.last_error()});
      open = open || breaker.state() != BREAKER_STATE_CLOSED;
    }
  }
  return TextOrNone(table) +
         (open ? "One that is open tries by itself again; `mtpctl --side SIDE "
                 "sync breaker reset` has it try at once.\n"
               : "");
}

void AddBreakers(CLI::App& sync, Session& session) {
  CLI::App& breaker = *sync.add_subcommand(
      "breaker",
      "Whether calls to the other side are tried at all, of the processes that "
      "answer");
  breaker.callback([&breaker, &session] {
    if (!breaker.get_subcommands().empty()) return;
    session.Do([&session] {
      GetBreakersRequest request;
      return ShowBoth(session, request, BreakersText);
    });
  });
  Verb<ResetBreakerRequest, ResetBreakerResponse>(
      breaker, session, "reset",
      "Has the next call tried at once (--side says whose)")
      .Option("NAME", "name", "The peer; the other side if not said")
      .Prepared([&session](ResetBreakerRequest& request) -> absl::Status {
        RETURN_IF_ERROR(session.NeedSide());
        if (request.name().empty()) {
          request.set_name(
              absl::EqualsIgnoreCase(session.settings().side, "processing")
                  ? "order"
                  : "processing");
        }
        return absl::OkStatus();
      })
      .Shows([](const auto& response) {
        return absl::StrCat("The breaker to ", response.breaker().name(),
                            " is ", EnumText(response.breaker().state()),
                            ": the next call is tried.\n");
      });
}

// --- drift

std::string DifferencesText(const Drift& drift) {
  return absl::StrJoin(drift.differences(), ", ",
                       [](std::string* out, const DriftDifference& d) {
                         absl::StrAppend(out, d.field(), ": `", d.owner_value(),
                                         "`, `", d.copy_value(), "`");
                       });
}

std::string DriftText(
    const std::vector<std::pair<Side, ListDriftResponse>>& responses) {
  Table table({"FOUND BY", "FOUND (UTC)", "KIND", "KEY", "OWNER", "CAUSE",
               "REPAIRED (UTC)", "BY VERSION", "OWNER SAYS, COPY SAYS", "RUN"});
  std::string notes;
  for (const auto& [side, response] : responses) {
    for (const Drift& drift : response.drift()) {
      table.Row({EnumText(side), TimeText(drift.found_at()),
                 EnumText(drift.kind()), drift.key(), EnumText(drift.owner()),
                 EnumText(drift.cause()), TimeText(drift.repaired_at()),
                 drift.repaired_version() == 0 ? Cell()
                                               : Cell(drift.repaired_version()),
                 DifferencesText(drift), drift.run_id()});
    }
    notes += MoreText(side, response);
  }
  return TextOrNone(table) + notes;
}

void AddDrift(CLI::App& sync, Session& session) {
  auto request = std::make_shared<ListDriftRequest>();
  CLI::App& drift = *sync.add_subcommand(
      "drift",
      "What comparing the two sides has found to differ, repaired or not "
      "(--side: found by one)");
  Bind(drift, "--kind", *request, "kinds", "Only of this kind");
  Bind(drift, "--key", *request, "key", "Only of this thing, as 17/1");
  Bind(drift, "--cause", *request, "causes", "Only with this cause");
  Bind(drift, "--open", *request, "only_open", "Only what is not repaired");
  Bind(drift, "--run", *request, "run_id", "Only what this comparison found");
  Bind(drift, "--limit", *request, "page_size",
       "At most so many of a side; 50 if not said");
  drift.callback([&session, request] {
    session.Do(
        [&session, request] { return ShowBoth(session, *request, DriftText); });
  });
}

// --- comparing

std::string RunsText(
    const std::vector<std::pair<Side, ReconcileResponse>>& responses) {
  Table table({"OWNER", "COMPARED", "DIFFERED", "REPAIRED", "RUN", "ERROR"});
  std::string notes;
  for (const auto& [side, response] : responses) {
    const ReconcileRun& run = response.run();
    table.Row({EnumText(side), run.compared_count(), run.drift_count(),
               run.repaired_count(), run.run_id(), run.error()});
    if (!response.finished()) {
      absl::StrAppend(&notes, "The comparison of what ", EnumText(side),
                      " owns goes on; `mtpctl sync drift --run ", run.run_id(),
                      "` shows what it finds.\n");
    }
    if (run.drift_count() > response.drift_size()) {
      absl::StrAppend(
          &notes, run.drift_count() - response.drift_size(), " more of what ",
          EnumText(side), " owns: `mtpctl sync drift --run ", run.run_id(),
          "`; what was found before and is not repaired: `mtpctl sync drift "
          "--open`\n");
    }
    for (const Drift& drift : response.drift()) {
      absl::StrAppend(&notes, EnumText(drift.kind()), " ", drift.key(), ": ",
                      EnumText(drift.cause()), " ",
                      Printable(DifferencesText(drift)),
                      drift.has_repaired_at()         ? " (repaired)"
                      : drift.repaired_version() == 0 ? ""
                                                      : " (told again)",
                      "\n");
    }
  }
  return TextOrNone(table) + notes;
}

void AddReconcile(CLI::App& sync, Session& session) {
  auto request = std::make_shared<ReconcileRequest>();
  CLI::App& reconcile = *sync.add_subcommand(
      "reconcile",
      "Compares what each side owns with the other's copies, and has what "
      "differs told again (--side: what one owns)");
  Bind(reconcile, "--kind", *request, "kinds", "Only of this kind");
  Bind(reconcile, "--report", *request, "report_only",
       "Only tells, repairs nothing; ends with 2 if something differs");
  reconcile.callback([&session, request] {
    session.Do([&session, request]() -> absl::Status {
      std::vector<std::pair<Side, ReconcileResponse>> responses;
      RETURN_IF_ERROR(ShowBoth(session, *request, RunsText, &responses));
      for (const auto& [side, response] : responses) {
        const ReconcileRun& run = response.run();
        if (!run.error().empty() ||
            (request->report_only() && run.drift_count() > 0)) {
          return AlreadyTold();
        }
      }
      return absl::OkStatus();
    });
  });
}

// --- epochs

void AddNewEpoch(CLI::App& sync, Session& session) {
  Verb<StartEpochRequest, StartEpochResponse>(
      sync, session, "new-epoch",
      "Says that a side's database was restored from a backup (--side: whose): "
      "it takes back from the other side what it lost; docs/recovery.md")
      .Needed("--current", "current_epoch",
              "The epoch that is left, as `sync status` shows it")
      .Needed("--reason", "reason", "What happened")
      .Prepared(
          [&session](const StartEpochRequest&) { return session.NeedSide(); })
      .Shows([](const auto& response) {
        return absl::StrCat(
            "Epoch ", response.epoch(),
            " has begun. What was lost is being taken back: `mtpctl sync "
            "status` says when that is done, `mtpctl exception list` what "
            "could "
            "not be.\n");
      });
}

}  // namespace

void AddLinkCommands(CLI::App& sync, Session& session) {
  AddDeadLetters(sync, session);
  AddBreakers(sync, session);
  AddDrift(sync, session);
  AddReconcile(sync, session);
  AddNewEpoch(sync, session);
}

}  // namespace mtp::cli
