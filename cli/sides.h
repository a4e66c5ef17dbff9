#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/fields.h"
#include "cli/session.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"

// Asking both sides the same.
namespace mtp::cli {

inline constexpr std::array kSides = {common::v1::SIDE_ORDER,
                                      common::v1::SIDE_PROCESSING};

// Whether --side leaves this one to be asked.
inline bool IsAsked(Session& session, common::v1::Side side) {
  return session.settings().side.empty() ||
         absl::EqualsIgnoreCase(session.settings().side, EnumText(side));
}

// Asks both sides, or the one that --side says. A side that does not answer is
// shown with its reason; the first such failure is the command's.
template <typename Request, typename Response>
absl::Status AskSides(
    Session& session, Request& request,
    std::vector<std::pair<common::v1::Side, Response>>& responses) {
  absl::Status first;
  FailedCall failed;
  for (const common::v1::Side side : kSides) {
    if (!IsAsked(session, side)) continue;
    Response response;
    const absl::Status status = session.CallSide(
        side, options::v1::ROLE_UNSPECIFIED, request, response);
    if (status.ok()) {
      responses.emplace_back(side, std::move(response));
    } else if (first.ok()) {
      first = status;
      failed = session.last_call();
    }
  }
  if (!first.ok()) session.Blame(std::move(failed));
  return first;
}

// Behind a side's list that goes on.
template <typename Response>
std::string MoreText(common::v1::Side side, const Response& response) {
  return response.next_page_token().empty()
             ? ""
             : absl::StrCat(EnumText(side),
                            " has more; --limit says how many are shown.\n");
}

// Several responses as one JSON object, a member for each side.
template <typename Response>
void PrintSides(
    Session& session,
    const std::vector<std::pair<common::v1::Side, Response>>& responses) {
  session.out() << "{"
                << absl::StrJoin(responses, ",\n ",
                                 [](std::string* out, const auto& response) {
                                   absl::StrAppend(
                                       out, "\"", EnumText(response.first),
                                       "\": ", JsonOf(response.second));
                                 })
                << "}\n";
}

// Asks both sides, or the one that --side says, and shows what they answer.
template <typename Request, typename Response>
absl::Status ShowBoth(
    Session& session, Request& request,
    std::string (*text)(
        const std::vector<std::pair<common::v1::Side, Response>>&),
    std::vector<std::pair<common::v1::Side, Response>>* shown = nullptr) {
  std::vector<std::pair<common::v1::Side, Response>> responses;
  const absl::Status status = AskSides(session, request, responses);
  if (session.settings().json) {
    PrintSides(session, responses);
  } else if (!responses.empty()) {
    // Why the other did not comes behind it.
    if (!status.ok())
      session.out() << "Only " << EnumText(responses[0].first)
                    << " answered:\n";
    session.out() << text(responses);
  }
  if (shown != nullptr) *shown = std::move(responses);
  return status;
}

}  // namespace mtp::cli
