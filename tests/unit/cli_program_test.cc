#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "cli/completion.h"
#include "cli/contract.h"
#include "cli/program.h"

namespace mtp::cli {
namespace {

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

// Runs a command line as the program does.
Outcome Run(std::vector<std::string> words) {
  std::ostringstream out;
  std::ostringstream err;
  Session session(out, err);
  const auto program = MakeProgram(session);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    program->parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = program->exit(error, out, err);
    return {code == 0 ? kDone : kUsage, out.str(), err.str()};
  }
  const int code = session.Run();
  return {code, out.str(), err.str()};
}

constexpr char kId[] = "0190aaaa-0000-7000-8000-000000000001";

TEST_CASE("a command line that is wrong ends with the code for it") {
  CHECK(Run({}).code == kUsage);
  CHECK(Run({"nonsense"}).code == kUsage);
  CHECK(Run({"request", "create", "SO1"}).code == kUsage);
  CHECK(Run({"request", "create", "SO1", "500"}).code == kUsage);
  CHECK(Run({"shipment", "show", "17"}).code == kUsage);
  CHECK(Run({"--as", "NOBODY", "plan", "list"}).code == kUsage);
  CHECK(Run({"--request-id", "1", "plan", "list"}).code == kUsage);
  CHECK(Run({"--timeout", "0s", "plan", "list"}).code == kUsage);
  CHECK(Run({"plan", "import", "/nowhere"}).code == kUsage);
  CHECK(Run({"call", "NoSuchMethod"}).code == kUsage);
  CHECK(Run({"call", "GetPlan", "{\"nonsense\": 1}"}).code == kUsage);
  CHECK(Run({"token", "NOBODY"}).code == kUsage);
  CHECK(Run({"receive", "--at", "A", "--gross", "1kg"}).code == kUsage);
  CHECK(Run({"receive", "--at", "A", "--tealine", "T"}).code == kUsage);
  CHECK(Run({"receive", "--watch", "--at", "A", "--gross", "1kg"}).code ==
        kUsage);
  CHECK(Run({"receive", "--watch", "--at", "A", "--occurred-at",
             "2026-11-08T08:00:00Z"})
            .code == kUsage);
  CHECK(Run({"scan"}).code == kUsage);
  CHECK(Run({"scan", "x", "--watch"}).code == kUsage);
  CHECK(Run({"scan", "x", "--move-to", "A"}).code == kUsage);
  CHECK(Run({"correct-dispatch", "1/1", "--reason", "r"}).code == kUsage);
  CHECK(Run({"correct-dispatch", "1/1", "--vehicle", "V", "--take-back",
             "--reason", "r"})
            .err.find("excludes") != std::string::npos);
  CHECK(Run({"tealine", "update", kId}).code == kUsage);
  CHECK(Run({"history", "nonsense", "1"}).code == kUsage);
  CHECK(Run({"rule", "set", "tealine", "shipment", "perhaps"}).code == kUsage);
  CHECK(Run({"seed", "--scale", "0"}).code == kUsage);
  CHECK(Run({"seed", "--until", "2026-02-30"}).code == kUsage);
  CHECK(Run({"spool", "drop", "1"}).code == kUsage);
  CHECK(Run({"spool", "drop", "--reason", "r"}).code == kUsage);
  CHECK(Run({"spool", "drop", "1", "--refused", "--reason", "r"}).code ==
        kUsage);
}

TEST_CASE("a command that is missing or not there is said by its name") {
  const auto says = [](std::vector<std::string> words,
                       const std::string& text) {
    const Outcome outcome = Run(std::move(words));
    INFO(outcome.err);
    CHECK(outcome.code == kUsage);
    CHECK(outcome.err.find(text) != std::string::npos);
  };
  says({}, "which command? mtpctl has demo, ");
  says({"nonsense"}, "no such command: nonsense. mtpctl has demo, ");
  says({"plan"}, "which command? mtpctl plan has import, ");
  says({"plan", "nonsense"}, "no such command: nonsense. mtpctl plan has ");
  says({"plan", "show"}, "ORDER is required");
  says({"plan", "list", "--limit", "0"}, "`0` is no count: 1 or more\n");
  says({"version", "--correlation-id", "a b"}, "is no correlation id");
  says({"token", "MASTER_ADMIN", "--lifetime", "9000h"}, "at most 8760h");
}

TEST_CASE("without the authority's certificate nothing is sent") {
  const Outcome outcome = Run(
      {"request", "create", "SO1", "500kg", "--order", "127.0.0.1:1", "--token",
       "x", "--request-id", "0190aaaa-0000-7000-8000-000000000001", "--ca",
       MTP_SOURCE_DIR "/tests/unit/no_such_authority.pem"});
  CHECK(outcome.code == kUsage);
}

TEST_CASE("options may stand before and after the command") {
  CHECK(Run({"--json", "methods", "ListPlans"}).out ==
        Run({"methods", "ListPlans", "--json"}).out);
}

TEST_CASE("every method of the contract can be found by its short name") {
  for (const MethodDescriptor* method : AllMethods()) {
    const auto found =
        FindMethod(method->service()->name() + "/" + method->name());
    INFO(method->full_name() << " " << found.status().message());
    CHECK(found.ok());
  }
  CHECK(FindMethod("receivebag").ok());
  CHECK(MethodName(**FindMethod("/mtp.order.v1.PlanService/ListPlans")) ==
        "mtp.order.v1.PlanService/ListPlans");
  CHECK_FALSE(FindMethod("Plans").ok());
}

TEST_CASE("every request belongs to one method") {
  std::set<std::string> requests;
  for (const MethodDescriptor* method : AllMethods()) {
    CHECK(requests.insert(method->input_type()->full_name()).second);
    CHECK(&MethodOf(*method->input_type()) == method);
  }
}

TEST_CASE("the contract is listed with its roles") {
  const Outcome outcome = Run({"methods", "importplans"});
  CHECK(outcome.code == kDone);
  CHECK(outcome.out.find("GRANDPASS_ADMIN") != std::string::npos);
  CHECK(outcome.out.find("client") != std::string::npos);
}

TEST_CASE("the completion knows every command and role") {
  const Outcome outcome = Run({"completion", "bash"});
  CHECK(outcome.code == kDone);
  for (const char* word :
       {"' plan import')", "| plan import|", "GRANDPASS_GATEPASS",
        "--validate-only", "request-approval", "complete -o",
        "' approve queue')", "' spool send')", "' seed')", "--watch",
        "' rule set')", "' bag write-off')"}) {
    INFO(word);
    CHECK(outcome.out.find(word) != std::string::npos);
  }
}

}  // namespace
}  // namespace mtp::cli
