#include "order_service/groups.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"

namespace mtp::order {
namespace {

using options::v1::Role;

constexpr db::Statement kCountByRole{R"(
  SELECT role, count(*) FROM admin.user_account GROUP BY role
)"};

std::string DescriptionOf(Role role) {
  switch (role) {
    case options::v1::ROLE_MASTER_ADMIN:
      return "Users and groups; operations; reads the audit trail";
    case options::v1::ROLE_GRANDPASS_ADMIN:
      return "Order plans";
    case options::v1::ROLE_SEEDUWA_ADMIN:
      return "Materials, recipes, locations, allocation rules, holds, large "
             "write-offs";
    case options::v1::ROLE_GRANDPASS_OFFICER:
      return "Requests, quantities, cancellations, schedules";
    case options::v1::ROLE_GRANDPASS_SUPERVISOR:
      return "Special requests: allows and denies them";
    case options::v1::ROLE_SEEDUWA_OFFICER:
      return "Readiness, quantities, batches, measurements, trader requests, "
             "corrections";
    case options::v1::ROLE_SEEDUWA_OPERATOR:
      return "The weighing stations: receives, moves, allocates, releases, "
             "writes off, dispatches";
    case options::v1::ROLE_GRANDPASS_GATEPASS:
      return "Accepts shipments at Grandpass";
    case options::v1::ROLE_GRANDPASS_DEV_MACHINE:
      return "Makes parcels and completes schedules";
    case options::v1::ROLE_TRADER_OFFICER:
      return "Decides on blend batches";
    case options::v1::ROLE_TRADER_SUPERVISOR:
      return "Decides on elevated and on allowed blend batches";
    default:
      return "";
  }
}

absl::Status AskGroups(const v1::ListGroupsRequest&, db::Exchange& exchange) {
  exchange.Add(kCountByRole);
  return absl::OkStatus();
}

std::vector<v1::Group> Groups(const v1::ListGroupsRequest& request,
                              const db::Result& counts) {
  std::map<Role, int64_t> count_of;
  for (const db::Row row : counts) {
    Role role{};
    int64_t count = 0;
    row.Into(role, count);
    count_of[role] = count;
  }
  std::vector<v1::Group> groups;
  for (int number = options::v1::Role_MIN; number <= options::v1::Role_MAX;
       ++number) {
    if (number == options::v1::ROLE_UNSPECIFIED ||
        !options::v1::Role_IsValid(number)) {
      continue;
    }
    const Role role = static_cast<Role>(number);
    const std::string name(db::EnumText(role));
    if (!absl::StrContains(name, absl::AsciiStrToUpper(request.search()))) {
      continue;
    }
    v1::Group& group = groups.emplace_back();
    group.set_role(role);
    group.set_name(name);
    group.set_description(DescriptionOf(role));
    group.set_user_count(count_of[role]);
  }
  if (request.order_by() == v1::LIST_GROUPS_ORDER_NAME) {
    std::sort(groups.begin(), groups.end(),
              [](const auto& a, const auto& b) { return a.name() < b.name(); });
  } else if (request.order_by() ==
             v1::LIST_GROUPS_ORDER_USER_COUNT_DESCENDING) {
    std::stable_sort(groups.begin(), groups.end(),
                     [](const auto& a, const auto& b) {
                       return a.user_count() > b.user_count();
                     });
  }
  return groups;
}

absl::StatusOr<v1::ListGroupsResponse> AnswerGroups(
    const v1::ListGroupsRequest& request, const db::Results& results) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 1));
  const std::vector<v1::Group> groups = Groups(request, results[0]);
  auto next = groups.begin();
  if (!keys.empty()) {
    next = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group.name() == keys[0];
    });
    if (next == groups.end()) return handlers::PageTokenInvalid();
    ++next;
  }
  const int64_t page_size = handlers::PageSize(request.page_size());
  v1::ListGroupsResponse response;
  for (; next != groups.end(); ++next) {
    if (response.groups_size() == page_size) {
      response.set_next_page_token(handlers::NextPageToken(
          request, {response.groups(response.groups_size() - 1).name()}));
      break;
    }
    *response.add_groups() = *next;
  }
  return response;
}

}  // namespace

void AddGroups(Queries& queries) {
  queries.Add("mtp.order.v1.UserService/ListGroups", AskGroups, AnswerGroups);
}

}  // namespace mtp::order
