#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

using nlohmann::json;

constexpr db::Statement kViolations{R"(
  SELECT invariant, thing, found FROM sync.invariant_violations()
  ORDER BY invariant, thing)"};
constexpr db::Statement kInvariants{R"(
  SELECT count(*)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind = 'v' AND c.relname LIKE 'invariant\_%'
    AND n.nspname IN ('public', 'admin', 'sync', 'audit'))"};

// Years of bags take a while to be looked through.
constexpr absl::Duration kSilenceLimit = absl::Minutes(6);

struct CheckArguments {
  std::string order;
  std::string processing;
};

// The local stack's own database of a side, as its reader.
std::string LocalDatabase(const Session& session, const char* side,
                          const char* port_variable, const char* port) {
  if (!session.local_stack().has_value()) return "";
  const char* set = std::getenv(port_variable);
  return absl::StrCat("host=127.0.0.1 port=", set == nullptr ? port : set,
                      " dbname=tea_management user=mtp_reader passfile='",
                      session.local_stack()->var, "/", side, "/passwords'");
}

absl::Status CheckSide(const char* side, const std::string& conninfo,
                       Table& table, json& report) {
  auto connection = db::Connection::Open({.conninfo = conninfo,
                                          .application_name = "mtpctl",
                                          .silence_limit = kSilenceLimit});
  if (!connection.ok()) {
    return absl::UnavailableError(absl::StrCat(
        "the ", side,
        " side's database: ", std::string(connection.status().message())));
  }
  db::Exchange exchange;
  exchange.Add(kViolations);
  exchange.Add(kInvariants);
  // One snapshot: BEGIN stands before, COMMIT after.
  ASSIGN_OR_RETURN(const db::Results results,
                   (*connection)->Run(exchange.InSnapshot()));
  for (const db::Row row : results[1]) {
    std::string invariant, thing, found;
    row.Into(invariant, thing, found);
    table.Row({side, invariant, thing, found});
    report["violations"].push_back({{"side", side},
                                    {"invariant", invariant},
                                    {"thing", thing},
                                    {"found", found}});
  }
  for (const db::Row row : results[2]) {
    int64_t count = 0;
    row.Into(count);
    report["invariants"][side] = count;
  }
  return absl::OkStatus();
}

absl::Status Check(Session& session, const CheckArguments& arguments) {
  if (arguments.order.empty() && arguments.processing.empty()) {
    return UsageError(
        "the contract has no call for it: `check` looks into the databases, as "
        "mtp_reader. Run it in the checkout of a local stack, or give "
        "--order-database or --processing-database");
  }
  Table table({"SIDE", "INVARIANT", "THING", "FOUND"});
  json report = {{"violations", json::array()}};
  if (!arguments.order.empty()) {
    RETURN_IF_ERROR(CheckSide("order", arguments.order, table, report));
  }
  if (!arguments.processing.empty()) {
    RETURN_IF_ERROR(
        CheckSide("processing", arguments.processing, table, report));
  }
  if (session.settings().json) {
    session.out() << report.dump(2) << "\n";
  } else {
    for (const auto& [side, count] : report["invariants"].items()) {
      session.out() << side << ": " << count << " invariants looked at\n";
    }
    session.out() << (table.IsEmpty() ? "all of them hold\n" : table.Text());
  }
  return table.IsEmpty() ? absl::OkStatus() : AlreadyTold();
}

}  // namespace

void AddCheckCommand(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App& command = *app.add_subcommand(
      "check", "Whether what must always hold does hold in both databases");
  arguments->order =
      LocalDatabase(session, "order", "MTP_LOCAL_ORDER_POSTGRES_PORT", "7421");
  arguments->processing = LocalDatabase(
      session, "processing", "MTP_LOCAL_PROCESSING_POSTGRES_PORT", "7422");
  const auto database = [&](const char* name, const char* variable,
                            std::string& value) {
    command
        .add_option(name, value,
                    "How libpq finds that side's database, for a role that may "
                    "read; by default the local stack's. Empty: not looked at")
        ->envname(variable)
        ->type_name("CONNINFO");
  };
  database("--order-database", "MTP_ORDER_READER", arguments->order);
  database("--processing-database", "MTP_PROCESSING_READER",
           arguments->processing);
  command.footer(
      "The views invariant_* of each database are empty when all is well. They "
      "are read in the database itself, because the contract has no call for "
      "them, so this needs a way to the databases; it changes nothing.");
  command.callback([&session, arguments] {
    session.Do([&session, arguments] { return Check(session, *arguments); });
  });
}

}  // namespace mtp::cli
