#include "common/rpc/gateway.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/rpc/metadata.h"
#include "common/rpc/status.h"

namespace mtp::rpc {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(500);

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

void Gateway::Pass(std::unique_ptr<Call> call) {
  if (call->forwarded) {
    call->Fail(errors::FailedPrecondition(
        "FORWARDED_TWICE",
        "the other side passed on a call that is its own: the two are set up "
        "as each other's peer wrongly"));
    return;
  }
  if (in_flight_.fetch_add(1, std::memory_order_relaxed) >= max_in_flight_) {
    in_flight_.fetch_sub(1, std::memory_order_relaxed);
    call->Fail(errors::Overloaded(
        "too many calls to the other side are under way", kRetryDelay));
    return;
  }
  Metadata metadata = MetadataOf(*call);
  const bool streams =
      call->method->client_streaming() || call->method->server_streaming();
  // Shared, for a std::function wants to be copied.
  std::shared_ptr<Call> shared = std::move(call);
  if (streams) {
    PassStream(std::move(shared), std::move(metadata));
  } else {
    PassUnary(std::move(shared), std::move(metadata));
  }
}

void Gateway::PassUnary(std::shared_ptr<Call> call, Metadata metadata) {
  Call& passed = *call;
  peer_->CallForReply(NameOf(passed), std::move(passed.request),
                      passed.deadline, std::move(metadata),
                      [this, call = std::move(call)](PeerReply reply) {
                        in_flight_.fetch_sub(1, std::memory_order_relaxed);
                        std::vector<std::string> messages;
                        messages.push_back(std::move(reply.bytes));
                        Answer(*call, std::move(reply.status), reply.trailers,
                               std::move(messages));
                      });
}

void Gateway::PassStream(std::shared_ptr<Call> call, Metadata metadata) {
  Call& passed = *call;
  peer_->Stream(NameOf(passed), MessagesOf(passed), passed.deadline,
                std::move(metadata),
                [this, call = std::move(call)](PeerStreamReply reply) {
                  in_flight_.fetch_sub(1, std::memory_order_relaxed);
                  Answer(*call, std::move(reply.status), reply.trailers,
                         std::move(reply.messages));
                });
}

}  // namespace mtp::rpc
