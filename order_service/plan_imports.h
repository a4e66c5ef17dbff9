#pragma once

#include "order_service/rows.h"

// Planning files: what is made of them, and what was found in them.
namespace mtp::order {

void AddPlanImports(Commands& commands, Queries& queries);

// What a file says of a plan that says otherwise; no differences when they say
// the same.
struct FilePlan;
v1::KeptPlan Compare(const Plan& plan, const FilePlan& in_file);

void TouchImportPlans(const v1::ImportPlansRequest& request, Rows& rows);
absl::StatusOr<v1::ImportPlansResponse> DecideImportPlans(
    const v1::ImportPlansRequest& request, Context& context, Rows& rows);

}  // namespace mtp::order
