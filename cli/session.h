#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client.h"
#include "cli/contract.h"
#include "cli/failures.h"
#include "cli/kept_session.h"
#include "cli/local_stack.h"
#include "google/protobuf/message.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::cli {

// What the options before and after a command say.
struct Settings {
  std::string order;
  std::string processing;
  // The authority that signed the services' certificates.
  std::string ca;
  // The name in them, if it is not the address's.
  std::string server_name;
  std::string token;
  // A role of the local stack; wins over `token`.
  std::string as;
  // Which side to ask; empty: the one that the method belongs to.
  std::string side;
  std::string correlation_id;
  std::string request_id;
  absl::Duration timeout = absl::Seconds(30);
  bool json = false;
};

// Calls to one side as one person, from any thread.
class Caller {
 public:
  // `client` outlives it.
  Caller(Client& client, rpc::Metadata metadata, absl::Duration timeout)
      : client_(client), metadata_(std::move(metadata)), timeout_(timeout) {}

  absl::Status Call(const google::protobuf::Message& request,
                    google::protobuf::Message& response) const;
  // A client stream of these messages.
  absl::Status Send(const MethodDescriptor& method,
                    const std::function<bool(google::protobuf::Message&)>& next,
                    google::protobuf::Message& response) const;

 private:
  Client& client_;
  rpc::Metadata metadata_;
  absl::Duration timeout_;
};

// One run of the program: whom it talks to, as whom, and where it prints.
class Session {
 public:
  using Message = google::protobuf::Message;

  // The streams outlive the session.
  Session(std::ostream& out, std::ostream& err);

  Settings& settings() { return settings_; }
  const std::optional<LocalStack>& local_stack() const { return stack_; }
  // What people read; empty lines and all.
  std::ostream& out() { return out_; }
  // What is said beside the result: progress, hints, failures.
  std::ostream& err() { return err_; }

  // What the parsed command line asks for.
  void Do(std::function<absl::Status()> action) { action_ = std::move(action); }
  // Does it, prints why it failed if it does; the exit code of the program.
  int Run();

  // Calls the method that takes `request`, which gets a request_id if it may
  // have one and has none.
  absl::Status Call(Message& request, Message& response);
  // The same, as somebody of a role of the local stack.
  absl::Status CallAs(options::v1::Role role, Message& request,
                      Message& response);
  // The same, asking that side.
  absl::Status CallSide(common::v1::Side side, options::v1::Role role,
                        Message& request, Message& response);
  // Pages a list until `limit` things are there or nothing follows. What is
  // left begins at the response's next_page_token.
  absl::Status List(Message& request, int64_t limit, Message& response);
  absl::Status SendStream(const MethodDescriptor& method,
                          const std::function<bool(Message&)>& next,
                          Message& response);
  absl::Status SendStreamAs(options::v1::Role role,
                            const MethodDescriptor& method,
                            const std::function<bool(Message&)>& next,
                            Message& response);
  absl::Status ReadStream(Message& request, Message& response,
                          const std::function<void()>& take);
  absl::Status ReadStreamAs(options::v1::Role role, Message& request,
                            Message& response,
                            const std::function<void()>& take);

  // Somebody of that role at that side; nothing of it is this session's own
  // but the connection.
  absl::StatusOr<Caller> CallerAs(options::v1::Role role,
                                  common::v1::Side side);
  // Who calls this method, and where: `SUBJECT@HOST:PORT`. A repeated call is
  // known again only if this is the same.
  absl::StatusOr<std::string> CallerOf(const MethodDescriptor& method);
  // Who that is, as people know them: `nimal (SEEDUWA_OPERATOR)`; as much of it
  // as the token says.
  absl::StatusOr<std::string> PersonOf(const MethodDescriptor& method);
  // PERMISSION_DENIED if the token's role is known and the contract does not
  // let it call the method.
  absl::Status MayCall(const MethodDescriptor& method);

  // What fails from here on is no call's fault.
  void ForgetCall() { last_ = {}; }
  // The call that was made last, and which one a failure is told of instead.
  const FailedCall& last_call() const { return last_; }
  void Blame(FailedCall call) { last_ = std::move(call); }

  // Gives the request a request_id if it may have one and has none.
  void EnsureRequestId(Message& request);
  // Calls from here on have a correlation id of their own; which one.
  const std::string& NewCorrelation();

  // Whom sign-in signed in at the order service.
  KeptSession Kept() const { return KeptSession(settings_.order); }
  // Gets new tokens for the session that is kept, if there is one.
  absl::Status RenewKept();

  // A usage error where --side does not say whose matter this is.
  absl::Status NeedSide() const;

  // Prints a response: as JSON where that was asked for, else what `text` makes
  // of it.
  absl::Status Show(const Message& response,
                    const std::function<std::string()>& text);

 private:
  // Everything a call needs to know; `role` UNSPECIFIED: as the settings say.
  struct Route {
    Client* client = nullptr;
    Client::Options options;
  };
  absl::StatusOr<Route> RouteFor(const MethodDescriptor& method,
                                 common::v1::Side side, options::v1::Role role);
  // Asks; once more with new tokens of the session that is kept, when the key
  // that signed its token is gone. `ask` can be repeated.
  absl::Status Ask(const MethodDescriptor& method, common::v1::Side side,
                   options::v1::Role role,
                   const std::function<absl::Status(const Route&)>& ask);
  absl::StatusOr<common::v1::Side> ChooseSide(
      const MethodDescriptor& method) const;
  absl::StatusOr<Client*> ClientOf(common::v1::Side side);
  // The token of whoever calls, empty if none is needed or known; notes the
  // role.
  absl::StatusOr<std::string> TokenFor(const MethodDescriptor& method,
                                       options::v1::Role role);
  // The access token of the session that is kept, renewed if it is about to
  // expire; empty without a session.
  absl::StatusOr<std::string> KeptToken(bool renew);
  bool SentKeptToken(const Route& route) const;
  void NoteRequestId(const Message& request);

  std::ostream& out_;
  std::ostream& err_;
  const std::optional<LocalStack> stack_;
  Settings settings_;
  std::string correlation_id_;
  std::function<absl::Status()> action_;
  std::map<common::v1::Side, std::unique_ptr<Client>> clients_;
  struct Token {
    std::string text;
    absl::Time renewed_at;
  };
  std::map<options::v1::Role, Token> tokens_;
  FailedCall last_;
};

// A message as JSON, with the contract's field names, on several lines or one.
std::string JsonOf(const google::protobuf::Message& message,
                   bool several_lines = true);

}  // namespace mtp::cli
