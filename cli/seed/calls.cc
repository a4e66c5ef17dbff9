#include "cli/seed/calls.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/contract.h"
#include "cli/digest.h"
#include "cli/failures.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::cli {
namespace {

using common::v1::Side;
using common::v1::SIDE_ORDER;
using common::v1::SIDE_PROCESSING;
using namespace options::v1;     // NOLINT: the roles
using namespace processing::v1;  // NOLINT: this file's whole subject

// What the contract takes in one batch call.
constexpr size_t kLargestBatch = 500;
// A service that is started again is back by then.
constexpr absl::Duration kPatience = absl::Minutes(1);
constexpr absl::Duration kRetryPause = absl::Milliseconds(300);
constexpr absl::Duration kAgreementLimit = absl::Seconds(20);

// Who makes calls of the plant there; MASTER_ADMIN waits for the other side.
std::vector<Role> AllRolesOf(Side side) {
  if (side == SIDE_ORDER) {
    return {ROLE_GRANDPASS_ADMIN, ROLE_GRANDPASS_OFFICER,
            ROLE_GRANDPASS_GATEPASS, ROLE_GRANDPASS_DEV_MACHINE,
            ROLE_MASTER_ADMIN};
  }
  return {ROLE_SEEDUWA_ADMIN,     ROLE_SEEDUWA_OFFICER,
          ROLE_SEEDUWA_OPERATOR,  ROLE_TRADER_OFFICER,
          ROLE_TRADER_SUPERVISOR, ROLE_GRANDPASS_DEV_MACHINE,
          ROLE_MASTER_ADMIN};
}

bool WorthRetrying(const absl::Status& status) {
  return ExitCodeOf(status) == kUnavailable ||
         status.code() == absl::StatusCode::kAborted;
}

template <typename Results>
absl::Status FirstRefusal(const Results& results) {
  for (const auto& result : results) {
    if (result.has_error()) return StatusOf(result.error());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SeedPeople> SeedPeople::Open(Session& session) {
  SeedPeople people;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (const Role role : AllRolesOf(side)) {
      ASSIGN_OR_RETURN(const Caller caller, session.CallerAs(role, side));
      people.callers_[{role, side}] = std::make_unique<Caller>(caller);
    }
  }
  return people;
}

const Caller& SeedPeople::For(Role role,
                              const google::protobuf::Message& request) const {
  return At(SideOf(MethodOf(*request.GetDescriptor())), role);
}

std::string SeedCalls::IdOf(std::string_view what) const {
  return UuidOfName(absl::StrCat(story_, " ", std::string(what))).ToString();
}

absl::Status SeedCalls::Repeat(const std::function<absl::Status()>& call) {
  const absl::Time limit = absl::Now() + kPatience;
  for (;;) {
    const absl::Status status = call();
    ++progress_.calls;
    if (!WorthRetrying(status) || absl::Now() > limit || progress_.stop) {
      return status;
    }
    absl::SleepFor(kRetryPause);
  }
}

absl::Status SeedCalls::Explained(const std::string& what,
                                  const absl::Status& status) const {
  if (status.ok()) return status;
  std::string message = absl::StrCat(story_, ", ", what, ": ", OneLine(status));
  if (errors::Reason(status) == "REQUEST_ID_REUSED" ||
      errors::Reason(status) == "RECIPE_NUMBER_TAKEN") {
    absl::StrAppend(&message,
                    "; this database was seeded otherwise before (another "
                    "--until, or another version of the plant): give another "
                    "--seed, or start from empty databases");
  }
  return absl::Status(status.code(), message);
}

absl::Status SeedCalls::Do(Role role, const std::string& what, Message& request,
                           Message& response, int64_t rows) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  request.GetReflection()->SetString(&request, field, IdOf(what));
  const Caller& caller = people_.For(role, request);
  const absl::Status status =
      Repeat([&] { return caller.Call(request, response); });
  if (status.ok()) progress_.rows += rows;
  return Explained(what, status);
}

absl::Status SeedCalls::Ask(Role role, const Message& request,
                            Message& response) {
  const Caller& caller = people_.For(role, request);
  return Repeat([&] { return caller.Call(request, response); });
}

absl::Status SeedCalls::Upload(Role role, const std::string& what,
                               Message& request, Message& response) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  request.GetReflection()->SetString(&request, field, IdOf(what));
  const Caller& caller = people_.For(role, request);
  return Explained(what, Repeat([&] {
                     bool sent = false;
                     const auto next = [&](Message& message) {
                       if (std::exchange(sent, true)) return false;
                       message.CopyFrom(request);
                       return true;
                     };
                     return caller.Send(MethodOf(*request.GetDescriptor()),
                                        next, response);
                   }));
}

absl::Status SeedCalls::WeighIn(const std::string& what,
                                std::vector<BagReceipt> receipts) {
  for (size_t begin = 0; begin < receipts.size(); begin += kLargestBatch) {
    BatchReceiveBagsRequest request;
    const size_t end = std::min(receipts.size(), begin + kLargestBatch);
    for (size_t i = begin; i < end; ++i) {
      *request.add_receipts() = std::move(receipts[i]);
    }
    BatchReceiveBagsResponse response;
    const std::string name = absl::StrCat(what, " bags from ", begin);
    RETURN_IF_ERROR(Do(ROLE_SEEDUWA_OPERATOR, name, request, response,
                       request.receipts_size()));
    RETURN_IF_ERROR(Explained(name, FirstRefusal(response.results())));
  }
  return absl::OkStatus();
}

absl::Status SeedCalls::Allocate(const std::string& what,
                                 const std::vector<AllocationDraft>& drafts,
                                 std::vector<Allocation>* made) {
  for (size_t begin = 0; begin < drafts.size(); begin += kLargestBatch) {
    BatchAllocateRequest request;
    const size_t end = std::min(drafts.size(), begin + kLargestBatch);
    for (size_t i = begin; i < end; ++i) {
      *request.add_allocations() = drafts[i];
    }
    BatchAllocateResponse response;
    const std::string name = absl::StrCat(what, " allocations from ", begin);
    RETURN_IF_ERROR(Do(ROLE_SEEDUWA_OPERATOR, name, request, response,
                       request.allocations_size()));
    RETURN_IF_ERROR(Explained(name, FirstRefusal(response.results())));
    if (made == nullptr) continue;
    for (const auto& result : response.results()) {
      made->push_back(result.allocation());
    }
  }
  return absl::OkStatus();
}

absl::Status SeedCalls::Agree(Side side, const std::string& sync_token) {
  ops::v1::WaitForSyncRequest request;
  request.set_sync_token(sync_token);
  request.mutable_max_wait()->set_seconds(
      absl::ToInt64Seconds(kAgreementLimit));
  ops::v1::WaitForSyncResponse response;
  const Caller& caller = people_.At(side, ROLE_MASTER_ADMIN);
  const absl::Status asked =
      Repeat([&] { return caller.Call(request, response); });
  RETURN_IF_ERROR(asked);
  if (response.synced()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the other side does not know it after ",
                   absl::FormatDuration(kAgreementLimit),
                   "; run it again when both are up"));
}

}  // namespace mtp::cli
