#include "common/rpc/gateway.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/rpc/metadata.h"
#include "common/rpc/status.h"

namespace mtp::rpc {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(500);
// How soon it is seen that nobody waits for a call any more.
constexpr absl::Duration kLookInterval = absl::Milliseconds(250);

Metadata MetadataOf(const Call& call) {
  Metadata metadata = {{kCorrelationIdKey, call.correlation_id},
                       {kTraceparentKey, call.traceparent},
                       {kForwardedKey, "1"}};
  if (!call.authorization.empty()) {
    metadata.emplace_back(kAuthorizationKey, call.authorization);
  }
  if (!call.remote_address.empty()) {
    metadata.emplace_back(kForwardedForKey, call.remote_address);
  }
  return metadata;
}

std::string NameOf(const Call& call) {
  return absl::StrCat(call.method->service()->full_name(), "/",
                      call.method->name());
}

// What the transport says of a peer that did not answer, in our words; what the
// peer itself said stays as it is.
absl::Status Explained(absl::Status status) {
  if (!IsTransportFailure(status)) return status;
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return errors::Make(absl::StatusCode::kDeadlineExceeded,
                        "DEADLINE_EXCEEDED",
                        "the other side did not answer in time; a change may "
                        "have been made, and is repeated safely under its "
                        "request_id");
  }
  return errors::Unavailable("PEER_UNREACHABLE",
                             "the other side cannot be reached now; a change "
                             "may be repeated safely under its request_id",
                             kRetryDelay);
}

void Answer(Call& call, absl::Status status, const Metadata& trailers,
            std::vector<std::string> messages) {
  for (const auto& [key, value] : trailers) {
    if (key != kCorrelationIdKey) call.AddTrailer(key, value);
  }
  if (!status.ok()) {
    call.Fail(Explained(std::move(status)));
  } else if (call.method->server_streaming()) {
    call.ReplyStream(std::move(messages));
  } else if (messages.size() == 1) {
    call.Reply(std::move(messages.front()));
  } else {
    call.Fail(absl::InternalError("the other side gave no single reply"));
  }
}

// The messages of a request, as they were sent.
std::vector<std::string> MessagesOf(Call& call) {
  std::vector<std::string> messages;
  if (!call.method->client_streaming()) {
    messages.push_back(std::move(call.request));
    return messages;
  }
  size_t begin = 0;
  for (const size_t end : call.message_ends) {
    messages.push_back(call.request.substr(begin, end - begin));
    begin = end;
  }
  call.request = {};
  return messages;
}

}  // namespace

Gateway::Gateway(PeerChannel* peer, size_t max_in_flight)
    : peer_(peer),
      max_in_flight_(max_in_flight),
      poller_({.poll = kLookInterval,
               .look =
                   [this] {
                     CallOff();
                     return absl::OkStatus();
                   },
               .log_failure = {}}) {}

void Gateway::Pass(std::unique_ptr<Call> call) {
  if (call->forwarded) {
    call->Fail(errors::FailedPrecondition(
        "FORWARDED_TWICE",
        "the other side passed on a call that is its own: the two are set up "
        "as each other's peer wrongly"));
    return;
  }
  const std::string name = NameOf(*call);
  const bool streams =
      call->method->client_streaming() || call->method->server_streaming();
  const absl::Time deadline =
      std::min(call->deadline, call->received + kMaxTime);
  Metadata metadata = MetadataOf(*call);
  std::vector<std::string> messages = MessagesOf(*call);
  const uint64_t number = Board(call);
  if (number == 0) {
    call->Fail(errors::Overloaded(
        "too many calls to the other side are under way", kRetryDelay));
    return;
  }
  uint64_t flight = 0;
  if (streams) {
    flight =
        peer_->Stream(name, std::move(messages), deadline, std::move(metadata),
                      [this, number](PeerStreamReply reply) {
                        Land(number, std::move(reply.status), reply.trailers,
                             std::move(reply.messages));
                      });
  } else {
    flight = peer_->CallForReply(name, std::move(messages.front()), deadline,
                                 std::move(metadata),
                                 [this, number](PeerReply reply) {
                                   std::vector<std::string> replies;
                                   replies.push_back(std::move(reply.bytes));
                                   Land(number, std::move(reply.status),
                                        reply.trailers, std::move(replies));
                                 });
  }
  std::lock_guard lock(mutex_);
  const auto found = passages_.find(number);
  if (found != passages_.end()) found->second.flight = flight;
}

uint64_t Gateway::Board(std::unique_ptr<Call>& call) {
  std::lock_guard lock(mutex_);
  if (passages_.size() >= max_in_flight_) return 0;
  const uint64_t number = ++last_number_;
  passages_[number].call = std::move(call);
  return number;
}

void Gateway::Land(uint64_t number, absl::Status status,
                   const Metadata& trailers,
                   std::vector<std::string> messages) {
  std::unique_ptr<Call> call;
  {
    std::lock_guard lock(mutex_);
    call = std::move(passages_.extract(number).mapped().call);
  }
  Answer(*call, std::move(status), trailers, std::move(messages));
}

void Gateway::CallOff() {
  // A passage that is still in the list keeps the channel open.
  std::lock_guard lock(mutex_);
  for (const auto& [number, passage] : passages_) {
    if (passage.call->Cancelled()) peer_->Cancel(passage.flight);
  }
}

}  // namespace mtp::rpc
