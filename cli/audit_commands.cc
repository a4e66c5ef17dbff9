#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/sides.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/audit/v1/audit.pb.h"

namespace mtp::cli {
namespace {

using namespace audit::v1;  // NOLINT: this file's whole subject
using common::v1::Side;

std::string ThingsText(const AuditEntry& entry) {
  return absl::StrJoin(entry.things(), ", ",
                       [](std::string* out, const common::v1::Thing& thing) {
                         absl::StrAppend(out, thing.kind(), " ", thing.key());
                       });
}

std::string EntriesText(const ListEntriesResponse& response) {
  Table table({"NUMBER", "RECORDED (UTC)", "WHO", "ACTION", "WHAT", "CHANGE",
               "REMARKS", "SEAL", "CORRELATION ID"});
  for (const AuditEntry& entry : response.entries()) {
    table.Row({entry.entry_number(), TimeText(entry.recorded_at()),
               ActorText(entry.actor()), entry.action(), ThingsText(entry),
               entry.change_json(), entry.remarks(),
               entry.seal_number() == 0 ? Cell() : Cell(entry.seal_number()),
               entry.correlation_id()});
  }
  return TextOrNone(table);
}

struct VerifyArguments {
  VerifySealsRequest request;
};

void Add(const VerifySealsResponse& part, VerifySealsResponse& all) {
  all.set_intact(all.intact() && part.intact());
  all.mutable_faults()->MergeFrom(part.faults());
  all.set_fault_count(all.fault_count() + part.fault_count());
  all.set_verified_seal_count(all.verified_seal_count() +
                              part.verified_seal_count());
  all.set_verified_entry_count(all.verified_entry_count() +
                               part.verified_entry_count());
  if (part.last_seal_number() > 0) {
    all.set_last_seal_number(part.last_seal_number());
    all.set_last_digest(part.last_digest());
  }
  all.set_unsealed_entry_count(part.unsealed_entry_count());
  all.set_peer_compared(all.peer_compared() && part.peer_compared());
  all.set_peer_missing_seal_count(all.peer_missing_seal_count() +
                                  part.peer_missing_seal_count());
}

// All of a side's trail, call by call, as one response.
absl::Status VerifySide(Session& session, Side side, VerifySealsRequest request,
                        VerifySealsResponse& all) {
  all.set_intact(true);
  all.set_peer_compared(true);
  do {
    VerifySealsResponse part;
    RETURN_IF_ERROR(
        session.CallSide(side, options::v1::ROLE_UNSPECIFIED, request, part));
    Add(part, all);
    request.set_from_seal_number(part.next_seal_number());
  } while (request.from_seal_number() != 0);
  return absl::OkStatus();
}

std::string VerifiedText(Side side, const VerifySealsResponse& response,
                         bool without_peer) {
  std::string text =
      absl::StrCat("The trail of the ", EnumText(side), " side ",
                   response.intact() ? "is intact" : "WAS TAMPERED WITH", ": ",
                   response.verified_seal_count(), " seals over ",
                   response.verified_entry_count(), " entries were checked.\n");
  Table faults({"SEAL", "SEALED (UTC)", "FAULT", ""});
  for (const SealFault& fault : response.faults()) {
    faults.Row({fault.seal_number(), TimeText(fault.sealed_at()),
                EnumText(fault.kind()), fault.description()});
  }
  absl::StrAppend(&text, faults.IsEmpty() ? "" : faults.Text("  "));
  if (response.fault_count() > response.faults_size()) {
    absl::StrAppend(&text, "  and ",
                    response.fault_count() - response.faults_size(),
                    " more faults\n");
  }
  if (without_peer) {
    absl::StrAppend(&text,
                    "  The other side's copies were not looked at: whoever "
                    "owns this database could have rewritten all of it.\n");
  } else if (!response.peer_compared()) {
    absl::StrAppend(&text,
                    "  The other side could not be asked for its copies: "
                    "whoever owns this database could have rewritten all of "
                    "it. Try again when it is in reach.\n");
  }
  if (response.peer_missing_seal_count() > 0) {
    absl::StrAppend(&text, "  Not told to the other side yet: ",
                    response.peer_missing_seal_count(), " seals.\n");
  }
  if (response.unsealed_entry_count() > 0) {
    absl::StrAppend(&text,
                    "  Not sealed yet: ", response.unsealed_entry_count(),
                    " entries.\n");
  }
  if (response.last_seal_number() > 0) {
    absl::StrAppend(&text, "  Last seal: ", response.last_seal_number(), " ",
                    absl::BytesToHexString(response.last_digest()), "\n");
  }
  return text;
}

absl::Status Verify(Session& session, const VerifyArguments& arguments) {
  std::vector<std::pair<Side, VerifySealsResponse>> responses;
  absl::Status failed;
  FailedCall failed_call;
  for (const Side side : kSides) {
    if (!IsAsked(session, side)) continue;
    VerifySealsResponse response;
    const absl::Status status =
        VerifySide(session, side, arguments.request, response);
    if (status.ok()) {
      responses.emplace_back(side, std::move(response));
    } else if (failed.ok()) {
      failed = status;
      failed_call = session.last_call();
    }
  }
  if (session.settings().json) {
    PrintSides(session, responses);
  } else {
    for (const auto& [side, response] : responses) {
      session.out() << VerifiedText(side, response,
                                    arguments.request.without_peer());
    }
  }
  // What was found weighs more than who did not answer.
  for (const auto& [side, response] : responses) {
    if (!response.intact()) return AlreadyTold();
  }
  if (!failed.ok()) session.Blame(std::move(failed_call));
  return failed;
}

void AddVerify(CLI::App& group, Session& session) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App& verify = *group.add_subcommand(
      "verify",
      "Whether anybody altered the trails of both sides (--side: of one); "
      "ends with 2 if so");
  Bind(verify, "--from", arguments->request, "from_seal_number",
       "The first seal; from the beginning if not said");
  Bind(verify, "--to", arguments->request, "to_seal_number",
       "The last seal; to the end if not said");
  Bind(verify, "--without-peer", arguments->request, "without_peer",
       "Without the copies that the other side keeps");
  verify.callback([&session, arguments] {
    session.Do([&session, arguments] { return Verify(session, *arguments); });
  });
}

}  // namespace

void AddAuditCommands(CLI::App& app, Session& session) {
  CLI::App& group =
      Group(app, "audit", "Who changed what, when and why, and its seals");
  Verb<ListEntriesRequest, ListEntriesResponse>(
      group, session, "list", "The trail of a side (--side says whose)")
      .Option("--subject", "actor_subject", "Who: the subject of a person")
      .Option("--username", "actor_username", "Who: the name used then")
      .Option("--role", "actor_role", "Who: in this role")
      .Option("--kind", "thing.kind", "To what kind of thing, as bag")
      .Option("--key", "thing.key", "To which of the kind")
      .Option("--action", "action",
              "The method, or its beginning up to a slash or a point")
      .Option("--correlation", "correlation_id",
              "What the call with this correlation id did")
      .Option("--of-request", "entry_request_id",
              "What was done under this request_id")
      .Option("--from", "recorded_from", "Recorded at this time or later")
      .Option("--before", "recorded_before", "Recorded before this time")
      .Shows(EntriesText);
  AddVerify(group, session);
}

}  // namespace mtp::cli
