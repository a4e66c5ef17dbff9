#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cli/session.h"
#include "google/protobuf/message.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {

// The people of the plant, at the side where they work. A machine at Grandpass
// works at both.
class SeedPeople {
 public:
  static absl::StatusOr<SeedPeople> Open(Session& session);
  const Caller& At(common::v1::Side side, options::v1::Role role) const {
    return *callers_.at({role, side});
  }
  // Where the method that takes the request is answered.
  const Caller& For(options::v1::Role role,
                    const google::protobuf::Message& request) const;

 private:
  std::map<std::pair<options::v1::Role, common::v1::Side>,
           std::unique_ptr<Caller>>
      callers_;
};

// What was done so far; read while it is done.
struct SeedProgress {
  std::atomic<int64_t> calls = 0;
  // Bags and allocations.
  std::atomic<int64_t> rows = 0;
  std::atomic<int64_t> weeks = 0;
  std::atomic<int64_t> weeks_there_already = 0;
  // Somebody failed: no call is tried again.
  std::atomic<bool> stop = false;
};

// The calls of one story, each with a request_id that follows from the story's
// name and the call's, so that making one again changes nothing.
class SeedCalls {
 public:
  using Message = google::protobuf::Message;
  using Role = options::v1::Role;

  // `people` and `progress` outlive it.
  SeedCalls(const SeedPeople& people, SeedProgress& progress, std::string story)
      : people_(people), progress_(progress), story_(std::move(story)) {}

  // Makes the call until it is answered. `what` names it within the story;
  // `rows` are the bags and allocations that it makes.
  absl::Status Do(Role role, const std::string& what, Message& request,
                  Message& response, int64_t rows = 0);
  // The same for a question.
  absl::Status Ask(Role role, const Message& request, Message& response);
  // The request as the one message of a client stream.
  absl::Status Upload(Role role, const std::string& what, Message& request,
                      Message& response);
  // In as many calls as it takes; every one of them must be taken.
  absl::Status WeighIn(const std::string& what,
                       std::vector<processing::v1::BagReceipt> receipts);
  absl::Status Allocate(
      const std::string& what,
      const std::vector<processing::v1::AllocationDraft>& drafts,
      std::vector<processing::v1::Allocation>* made = nullptr);
  // Waits until the other side knows what `side` said.
  absl::Status Agree(common::v1::Side side, const std::string& sync_token);

  std::string IdOf(std::string_view what) const;

 private:
  absl::Status Repeat(const std::function<absl::Status()>& call);
  absl::Status Explained(const std::string& what,
                         const absl::Status& status) const;

  const SeedPeople& people_;
  SeedProgress& progress_;
  const std::string story_;
};

}  // namespace mtp::cli
