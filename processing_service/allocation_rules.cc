#include "processing_service/allocation_rules.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "processing_service/editing.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

// --- changed

AllocationRule::Key KeyOf(const v1::SetAllocationRuleRequest& request) {
  return {std::string(db::EnumText(request.kind())),
          std::string(TextOf(request.target()).value_or(""))};
}

void TouchSet(const v1::SetAllocationRuleRequest& request, Rows& rows) {
  rows.rules_to_change.Want(KeyOf(request));
}

}  // namespace

// Every cell is there, whatever it says: the contract's values name no others.
absl::StatusOr<v1::SetAllocationRuleResponse> DecideSetAllocationRule(
    const v1::SetAllocationRuleRequest& request, Context& context, Rows& rows) {
  const AllocationRule& found = *rows.allocation_rules.Find(KeyOf(request));
  RETURN_IF_ERROR(CheckEtag(request.etag(), found.Etag()));

  AllocationRule& rule = rows.allocation_rules.Edit(found);
  rule.allowed = request.allowed();
  ++rule.version;
  rule.changed_at = context.now();
  rule.changed_by = context.caller().subject;
  rule.changed_by_username = context.caller().username;
  rule.changed_by_role = context.caller().role;
  context.Audit("allocation_rule",
                absl::StrCat(rule.source_kind, "/", rule.target_kind), "set",
                {{"kind", rule.source_kind},
                 {"target", rule.target_kind},
                 {"allowed", rule.allowed}});
  v1::SetAllocationRuleResponse response;
  *response.mutable_rule() = rule.Shown();
  return response;
}

namespace {

// --- read

// By the kinds' and the targets' order in the contract.
const db::Statement kList{R"(
  SELECT source_kind, target_kind, allowed, version, changed_at, changed_by,
    changed_by_username, changed_by_role
  FROM allocation_rule
  CROSS JOIN LATERAL (SELECT
    10 * array_position(ARRAY['tealine', 'herbline', 'blendbalance', 'blendsheet',
                              'flavorsheet'], source_kind)
    + array_position(ARRAY['blendsheet', 'flavorsheet', 'shipment'], target_kind)
    AS number) AS place
  WHERE ($1::text IS NULL OR source_kind = $1)
    AND ($2::text IS NULL OR target_kind = $2)
    AND ($3::boolean IS NULL OR allowed = $3)
  ORDER BY place.number
  OFFSET $4::bigint LIMIT $5::bigint
)"};

// The matrix has a fixed number of cells, none of which is ever removed, so a
// page can begin behind a number of them.
absl::StatusOr<int64_t> CellsShown(
    const v1::ListAllocationRulesRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 1));
  int64_t shown = 0;
  if (!keys.empty() && (!absl::SimpleAtoi(keys[0], &shown) || shown < 0)) {
    return handlers::PageTokenInvalid();
  }
  return shown;
}

absl::Status AskList(const v1::ListAllocationRulesRequest& request,
                     db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const int64_t shown, CellsShown(request));
  exchange.Add(kList,
               db::Params()
                   .Add(request.kind() == v1::MATERIAL_KIND_UNSPECIFIED
                            ? std::nullopt
                            : std::optional(request.kind()))
                   .Add(TextOf(request.target()))
                   .Add(request.has_allowed() ? std::optional(request.allowed())
                                              : std::nullopt)
                   .Add(shown)
                   .Add(RowLimit(request)));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListAllocationRulesResponse> AnswerList(
    const v1::ListAllocationRulesRequest& request, const db::Results& results) {
  std::vector<AllocationRule> rules = ReadAll<AllocationRule>(results[0]);
  v1::ListAllocationRulesResponse response;
  if (CutRows(request, rules)) {
    ASSIGN_OR_RETURN(const int64_t shown, CellsShown(request));
    response.set_next_page_token(handlers::NextPageToken(
        request, {absl::StrCat(shown + static_cast<int64_t>(rules.size()))}));
  }
  for (const AllocationRule& rule : rules) *response.add_rules() = rule.Shown();
  return response;
}

}  // namespace

void AddAllocationRules(Commands& commands, Queries& queries) {
  // Alone: allocations of the same batch would have read the cell unlocked.
  commands.AddAlone("mtp.processing.v1.AllocationService/SetAllocationRule",
                    TouchSet, DecideSetAllocationRule);
  queries.Add("mtp.processing.v1.AllocationService/ListAllocationRules",
              AskList, AnswerList);
}

}  // namespace mtp::processing
