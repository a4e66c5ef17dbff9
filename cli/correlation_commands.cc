#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/sides.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/protos.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::cli {
namespace {

using namespace ops::v1;  // NOLINT: this file's whole subject
using common::v1::Side;

using Parts = std::vector<std::pair<Side, ExplainCorrelationResponse>>;

// One side's step, and where it stands in time.
struct Moment {
  absl::Time at;
  Side side;
  const CorrelationStep* step;
};

// Both sides' steps in order. What has no time of its own stays behind the step
// before it.
std::vector<Moment> Timeline(const Parts& parts) {
  std::vector<Moment> moments;
  for (const auto& [side, response] : parts) {
    absl::Time at = absl::InfinitePast();
    for (const CorrelationStep& step : response.steps()) {
      if (step.has_at()) at = FromProto(step.at());
      moments.push_back({at, side, &step});
    }
  }
  std::stable_sort(
      moments.begin(), moments.end(),
      [](const Moment& a, const Moment& b) { return a.at < b.at; });
  return moments;
}

std::string TimelineText(const Parts& parts) {
  Table table({"AT (UTC)", "SIDE", "STEP", "WHO", "WHAT"});
  for (const Moment& moment : Timeline(parts)) {
    const CorrelationStep& step = *moment.step;
    table.Row(
        {TimeText(step.at()), EnumText(moment.side), EnumText(step.kind()),
         step.has_actor() ? ActorText(step.actor()) : "", step.description()});
  }
  std::string text =
      table.IsEmpty()
          ? "Nothing here is known by this correlation id: no call that had it "
            "changed anything.\n"
          : table.Text();
  for (const auto& [side, response] : parts) {
    if (response.truncated()) {
      absl::StrAppend(&text, EnumText(side),
                      " has more than the first 1,000; `mtpctl audit list "
                      "--correlation ID` lists all its changes.\n");
    }
  }
  return text;
}

absl::Status Explain(Session& session, ExplainCorrelationRequest& request) {
  Parts parts;
  const absl::Status status = AskSides(session, request, parts);
  if (session.settings().json) {
    PrintSides(session, parts);
  } else if (!parts.empty()) {
    session.out() << TimelineText(parts);
    if (!status.ok())
      session.out() << "The other side's part is missing: it did not answer.\n";
  }
  return status;
}

}  // namespace

void AddCorrelationCommand(CLI::App& app, Session& session) {
  auto request = std::make_shared<ExplainCorrelationRequest>();
  CLI::App& explain = *app.add_subcommand(
      "explain",
      "What a call came to on both sides (--side: on one), by its correlation "
      "id");
  Bind(explain, "CORRELATION_ID", *request, "correlation_id",
       "As failures, the audit trail and the logs have it")
      ->required();
  explain.callback([&session, request] {
    session.Do([&session, request] { return Explain(session, *request); });
  });
}

}  // namespace mtp::cli
