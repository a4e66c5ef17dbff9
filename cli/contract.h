#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"

// The contract as this program was built with it, from the linked descriptors.
namespace mtp::cli {

using google::protobuf::MethodDescriptor;

// Every method of the platform's packages, by full name.
std::vector<const MethodDescriptor*> AllMethods();

// The method that `name` means: `ListPlans`, `PlanService/ListPlans`,
// `mtp.order.v1.PlanService/ListPlans`, with `.` or `/`, in any case; of the
// full name only as much as it takes to be the only one.
absl::StatusOr<const MethodDescriptor*> FindMethod(std::string_view name);

// The one method that takes this request: every method has its own.
const MethodDescriptor& MethodOf(const google::protobuf::Descriptor& request);

// `mtp.order.v1.PlanService/ListPlans`.
std::string MethodName(const MethodDescriptor& method);

// The side that answers the method itself; UNSPECIFIED for those that both
// have, each for itself.
common::v1::Side SideOf(const MethodDescriptor& method);

// The roles that may call it; empty unless the method names roles.
std::vector<options::v1::Role> RolesOf(const MethodDescriptor& method);
// Who may call it, as people read it: `GRANDPASS_ADMIN`, `signed in`.
std::string AccessText(const MethodDescriptor& method);
// Whether anybody may call it without a token.
bool NeedsNoToken(const MethodDescriptor& method);

}  // namespace mtp::cli
