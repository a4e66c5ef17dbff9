#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/lookups.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "mtp/processing/v1/batches.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

// A verb on one batch, which is named as people name it.
template <typename Request, typename Response>
Verb<Request, Response> OnBatch(CLI::App& group, Session& session,
                                const std::string& name,
                                const std::string& help) {
  Verb<Request, Response> verb(group, session, name, help);
  verb.Looked("BATCH", "", "Its id, or BS-1/2 for batch 2 of sheet BS-1", true,
              [&session](const std::string& text, Request& request) {
                ASSIGN_OR_RETURN(*request.mutable_batch_id(),
                                 BatchId(session, text));
                return absl::OkStatus();
              });
  return verb;
}

template <typename Response>
std::string ItsBatch(const Response& response) {
  return BatchText(response.batch());
}

absl::Status ReadDecimal(const std::string& option, const std::string& text,
                         int decimals, int64_t& value) {
  const absl::StatusOr<int64_t> read = ParseDecimal(text, decimals);
  if (!read.ok()) {
    return UsageError(absl::StrCat(option, ": ", read.status().message()));
  }
  value = *read;
  return absl::OkStatus();
}

void AddMaking(CLI::App& group, Session& session) {
  Verb<OpenBatchRequest, OpenBatchResponse>(group, session, "open",
                                            "Opens the next batch of a sheet")
      .Looked("SHEET", "", "The sheet's number, or a recipe's id", true,
              [&session](const std::string& text, OpenBatchRequest& request) {
                ASSIGN_OR_RETURN(*request.mutable_recipe_id(),
                                 RecipeId(session, text));
                return absl::OkStatus();
              })
      .Option("--revision", "revision", "Only if this is the latest")
      .Shows(ItsBatch<OpenBatchResponse>);

  OnBatch<GetBatchRequest, GetBatchResponse>(
      group, session, "show", "What went in, what came out, who decided")
      .Shows(WholeBatchText);

  Verb<ListBatchesRequest, ListBatchesResponse>(group, session, "list",
                                                "Lists batches")
      .Option("--blend", "code", "Only of this blend or flavor")
      .Option("--sheet", "recipe_number", "Only of this sheet")
      .Option("--kind", "kind", "Only of blendsheets, or of flavorsheets")
      .Option("--state", "state", "Only in this state")
      .Option("--trader", "trader_states", "Only in this trader state")
      .Shows(
          [](const auto& response) { return BatchesText(response.batches()); });

  OnBatch<CompleteBatchRequest, CompleteBatchResponse>(
      group, session, "complete", "Nothing more goes in")
      .Option("--remarks", "remarks", "For those who read it")
      .Shows(ItsBatch<CompleteBatchResponse>);

  OnBatch<ReopenBatchRequest, ReopenBatchResponse>(
      group, session, "reopen", "Opens a completed batch again")
      .Needed("--reason", "reason", "Why")
      .Shows(ItsBatch<ReopenBatchResponse>);
}

void AddMeasuring(CLI::App& group, Session& session) {
  OnBatch<RecordMeasurementRequest, RecordMeasurementResponse>(
      group, session, "measure", "Records humidity and density")
      .Looked("--humidity", "PERCENT", "As 6.85", true,
              [](const std::string& text, RecordMeasurementRequest& request) {
                int64_t value = 0;
                RETURN_IF_ERROR(ReadDecimal("--humidity", text, 2, value));
                request.set_humidity_basis_points(value);
                return absl::OkStatus();
              })
      .Looked("--density", "G/L", "As 325.5", true,
              [](const std::string& text, RecordMeasurementRequest& request) {
                int64_t value = 0;
                RETURN_IF_ERROR(ReadDecimal("--density", text, 3, value));
                request.set_density_grams_per_cubic_metre(value);
                return absl::OkStatus();
              })
      .Option("--remarks", "remarks", "For the trader")
      .Shows(ItsBatch<RecordMeasurementResponse>);
}

// What leads to the trader's word; `ask` is what the plant calls it.
void AddApproval(CLI::App& group, Session& session, const char* ask) {
  OnBatch<RequestApprovalRequest, RequestApprovalResponse>(group, session, ask,
                                                           "Asks the trader")
      .Option("--remarks", "remarks", "For the trader")
      .Shows(ItsBatch<RequestApprovalResponse>);

  OnBatch<AllowBatchRequest, AllowBatchResponse>(group, session, "allow",
                                                 "The trader allows it")
      .Option("--remarks", "remarks", "What the trader says")
      .Shows(ItsBatch<AllowBatchResponse>);

  OnBatch<BlockBatchRequest, BlockBatchResponse>(
      group, session, "block", "The trader blocks it, for good")
      .Needed("--remarks", "remarks", "Why")
      .Shows(ItsBatch<BlockBatchResponse>);

  OnBatch<ElevateBatchRequest, ElevateBatchResponse>(
      group, session, "elevate", "The trader leaves it to the supervisor")
      .Needed("--remarks", "remarks", "Why")
      .Shows(ItsBatch<ElevateBatchResponse>);
}

void AddApprovals(CLI::App& app, Session& session) {
  CLI::App& group =
      Group(app, "approve", "The trader's word on batches of blends");
  Verb<ListBatchesRequest, ListBatchesResponse>(
      group, session, "queue", "Who waits for a word, the longest first")
      .Option("--state", "trader_states",
              "In this trader state; without it, those that wait for the "
              "trader or, for --as TRADER_SUPERVISOR, for the supervisor")
      .Option("--blend", "code", "Only of this blend")
      .Prepared([&session](ListBatchesRequest& request) {
        if (request.trader_states().empty()) {
          request.add_trader_states(
              absl::AsciiStrToUpper(session.settings().as) ==
                      "TRADER_SUPERVISOR"
                  ? TRADER_STATE_TRADER_ELEVATED
                  : TRADER_STATE_TRADER_REQUESTED);
        }
        request.set_order_by(LIST_BATCHES_ORDER_TRADER_CHANGED);
        return absl::OkStatus();
      })
      .Shows([](const auto& response) {
        return TraderQueueText(response.batches());
      });
  AddApproval(group, session, "ask");
}

}  // namespace

void AddBatchCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "batch", "Batches of blends and flavors");
  AddMaking(group, session);
  AddMeasuring(group, session);
  AddApproval(group, session, "request-approval");
  AddApprovals(app, session);
}

}  // namespace mtp::cli
