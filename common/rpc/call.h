#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::rpc {

// Who calls, as authentication found out.
struct Caller {
  enum class Kind { kNobody, kPerson, kService };
  Kind kind = Kind::kNobody;
  // A person's subject (a UUID as text), or the name in the service's
  // certificate. Empty for nobody. Part of the idempotency key.
  std::string subject;
  std::string username;
  options::v1::Role role = options::v1::ROLE_UNSPECIFIED;
  // The session that a person's token is of; empty where the order service did
  // not give it.
  std::string session_id = {};
  // The person may do nothing but change the password and sign out.
  bool must_change_password = false;
};

// One call on its way through the server: made by the edge, passed on by the
// pipeline once it is authenticated, authorised and validated, answered
// exactly once by whoever owns it then. Answering and reading are safe on any
// thread, but not on two at once. A call destroyed unanswered answers
// INTERNAL, so that no client waits for nothing.
class Call {
 public:
  virtual ~Call() = default;

  // `mtp.processing.v1.BagService.ReceiveBag`
  const google::protobuf::MethodDescriptor* method = nullptr;
  // The request's bytes as they were sent; for a client stream, its messages
  // one after the other, which reads as one merged message.
  std::string request;
  // Of a client stream: where each of its messages ends in `request`.
  std::vector<size_t> message_ends;
  // The request parsed and validated, of the generated type that the contract
  // names for the method: handlers static_cast it. None for a method that is
  // the peer's.
  std::unique_ptr<google::protobuf::Message> message;
  Caller caller;
  std::string correlation_id;
  // Where the connection comes from, or the one that the peer passed the call
  // on for: an IP address, or empty when unknown.
  std::string remote_address;
  std::string traceparent;  // W3C trace context of this call's own span
  // The peer passed it on.
  bool forwarded = false;
  // The authorization header as it came, for calls passed on to the peer.
  std::string authorization;
  absl::Time received;
  absl::Time deadline = absl::InfiniteFuture();

  // Whether the client has gone or given up; nobody waits for the answer.
  virtual bool Cancelled() const = 0;
  // Trailing metadata; keys in lower case.
  virtual void AddTrailer(std::string_view key, std::string_view value) = 0;
  // Answers: OK with the reply's bytes, or an error whose payloads become the
  // details. For a server stream `Reply` takes all messages in order.
  virtual void Reply(std::string bytes) = 0;
  virtual void ReplyStream(std::vector<std::string> messages) = 0;
  virtual void Fail(absl::Status status) = 0;
};

// Takes the call over and answers it, at once or later, on any thread. Never
// blocks: it runs on gRPC's own threads.
using Handler = std::function<void(std::unique_ptr<Call>)>;

// Which handler answers which method. Filled while the process is put
// together, read-only afterwards.
class Router {
 public:
  virtual ~Router() = default;
  // `method` as in `mtp.processing.v1.BagService/ReceiveBag`. The process ends
  // with a message when the contract has no such method or it is routed twice.
  virtual void Route(std::string_view method, Handler handler) = 0;
};

}  // namespace mtp::rpc
