#include "cli/session.h"

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cli/fields.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/rpc/base64url.h"
#include "common/rpc/token.h"
#include "google/protobuf/util/json_util.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/sessions.pb.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

using common::v1::Side;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using options::v1::Role;

// A token outlives any one call by far; one that a station goes on using is
// made anew at half its time.
constexpr absl::Duration kTokenLifetime = absl::Hours(1);
constexpr int kLargestPage = 1000;

const FieldDescriptor* Field(const Message& message, const char* name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

std::string TextOf(const Message& message, const char* name) {
  const FieldDescriptor* field = Field(message, name);
  return field == nullptr ? ""
                          : message.GetReflection()->GetString(message, field);
}

// Things in the list that a page consists of; of several lists one is filled.
int64_t CountOf(const Message& response) {
  int count = 0;
  for (int i = 0; i < response.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = response.GetDescriptor()->field(i);
    if (!field->is_repeated()) continue;
    count =
        std::max(count, response.GetReflection()->FieldSize(response, field));
  }
  return count;
}

// The token itself, or what the file after an @ holds now.
absl::StatusOr<std::string> GivenToken(const std::string& given) {
  if (given.empty() || given.front() != '@') return given;
  std::ifstream file(given.substr(1));
  std::string token;
  if (!(file >> token)) return UsageError("no token in " + given.substr(1));
  return token;
}

// What a token says of whoever gives it, unchecked: the service checks.
struct Person {
  std::string subject;
  std::string username;
  Role role = options::v1::ROLE_UNSPECIFIED;
};

std::string TextIn(const nlohmann::json& claims, const char* name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get<std::string>()
                                                     : "";
}

Person PersonIn(const std::string& token) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  if (parts.size() != 3) return {};
  const auto claims = nlohmann::json::parse(
      rpc::Base64UrlDecode(parts[1]).value_or(""), nullptr, false);
  if (!claims.is_object()) return {};
  return {.subject = TextIn(claims, "sub"),
          .username = TextIn(claims, "username"),
          .role = rpc::ParseRoleName(
              TextIn(claims, rpc::TokenSettings{}.role_claim.c_str()))};
}

std::string NameOf(const Person& person) {
  if (person.role == options::v1::ROLE_UNSPECIFIED) return person.username;
  return person.username.empty()
             ? rpc::RoleName(person.role)
             : absl::StrCat(person.username, " (", rpc::RoleName(person.role),
                            ")");
}

void SetText(Message& message, const char* name, const std::string& value) {
  message.GetReflection()->SetString(&message, Field(message, name), value);
}

}  // namespace

std::string JsonOf(const Message& message, bool several_lines) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = several_lines;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::StrCat("{}", several_lines ? "\n" : "");
  return json;
}

Session::Session(std::ostream& out, std::ostream& err)
    : out_(out), err_(err), stack_(FindLocalStack()) {
  settings_.order = LocalOrderAddress();
  settings_.processing = LocalProcessingAddress();
  if (stack_.has_value()) settings_.ca = stack_->Authority();
}

int Session::Run() {
  if (!action_) return kDone;
  correlation_id_ = settings_.correlation_id;
  if (correlation_id_.empty()) NewCorrelation();
  const absl::Status status = action_();
  out_.flush();
  if (status.ok() || IsAlreadyTold(status)) return ExitCodeOf(status);
  err_ << (settings_.json ? FailureJson(status, last_)
                          : FailureText(status, last_));
  err_.flush();
  return ExitCodeOf(status);
}

const std::string& Session::NewCorrelation() {
  if (settings_.correlation_id.empty()) {
    correlation_id_ = Uuid::V7(absl::Now()).ToString();
  }
  return correlation_id_;
}

void Session::EnsureRequestId(Message& request) {
  const FieldDescriptor* field = Field(request, "request_id");
  if (field == nullptr || !TextOf(request, "request_id").empty()) return;
  SetText(request, "request_id",
          settings_.request_id.empty() ? Uuid::V7(absl::Now()).ToString()
                                       : settings_.request_id);
}

void Session::NoteRequestId(const Message& request) {
  last_.request_id = TextOf(request, "request_id");
}

absl::StatusOr<Side> Session::ChooseSide(const MethodDescriptor& method) const {
  if (settings_.side.empty()) {
    const Side owner = SideOf(method);
    return owner == common::v1::SIDE_UNSPECIFIED ? common::v1::SIDE_ORDER
                                                 : owner;
  }
  Side side = common::v1::SIDE_UNSPECIFIED;
  if (!common::v1::Side_Parse("SIDE_" + absl::AsciiStrToUpper(settings_.side),
                              &side) ||
      side == common::v1::SIDE_UNSPECIFIED) {
    return UsageError(absl::StrCat("--side is `order` or `processing`, not `",
                                   settings_.side, "`"));
  }
  return side;
}

absl::StatusOr<Client*> Session::ClientOf(Side side) {
  std::unique_ptr<Client>& client = clients_[side];
  if (client != nullptr) return client.get();
  if (settings_.ca.empty()) {
    return UsageError(
        "--ca is needed: the certificate of the authority that signed the "
        "services' certificates");
  }
  absl::StatusOr<std::unique_ptr<Client>> opened = Client::Open(
      {.target = side == common::v1::SIDE_PROCESSING ? settings_.processing
                                                     : settings_.order,
       .tls = {.ca = settings_.ca},
       .server_name = settings_.server_name});
  // Whatever is wrong here is wrong with a file or an address.
  if (!opened.ok()) {
    return UsageError(std::string(opened.status().message()));
  }
  client = *std::move(opened);
  return client.get();
}

absl::StatusOr<std::string> Session::TokenFor(const MethodDescriptor& method,
                                              Role role) {
  last_.role.clear();
  if (role == options::v1::ROLE_UNSPECIFIED && !settings_.as.empty()) {
    role = rpc::ParseRoleName(absl::AsciiStrToUpper(settings_.as));
    if (role == options::v1::ROLE_UNSPECIFIED) {
      return UsageError(absl::StrCat("`", settings_.as, "` is no role"));
    }
  }
  if (role == options::v1::ROLE_UNSPECIFIED) {
    if (!settings_.token.empty() || NeedsNoToken(method)) {
      return GivenToken(settings_.token);
    }
    ASSIGN_OR_RETURN(const std::string kept, KeptToken(/*renew=*/false));
    if (!kept.empty() || !stack_.has_value()) return kept;
    // On the local stack whoever may.
    const std::vector<Role> roles = RolesOf(method);
    role = roles.empty() ? options::v1::ROLE_MASTER_ADMIN : roles.front();
  }
  last_.role = rpc::RoleName(role);
  Token& token = tokens_[role];
  if (token.text.empty() ||
      absl::Now() > token.renewed_at + kTokenLifetime / 2) {
    if (!stack_.has_value()) {
      return UsageError(
          "--as needs the local stack: run in its checkout or set MTP_HOME");
    }
    token.renewed_at = absl::Now();
    ASSIGN_OR_RETURN(token.text, LocalToken(*stack_, role, token.renewed_at,
                                            kTokenLifetime));
  }
  return token.text;
}

absl::StatusOr<std::string> Session::KeptToken(bool renew) {
  const auto refresh = [this](const std::string& refresh_token)
      -> absl::StatusOr<order::v1::SessionTokens> {
    ASSIGN_OR_RETURN(Client* const client, ClientOf(common::v1::SIDE_ORDER));
    order::v1::RefreshSessionRequest request;
    order::v1::RefreshSessionResponse response;
    request.set_refresh_token(refresh_token);
    RETURN_IF_ERROR(client->Call(
        MethodOf(*request.GetDescriptor()), request, response,
        {.deadline = absl::Now() + settings_.timeout,
         .metadata = {{rpc::kCorrelationIdKey, correlation_id_}}}));
    return response.session();
  };
  ASSIGN_OR_RETURN(const std::optional<order::v1::SessionTokens> tokens,
                   Kept().Fresh(absl::Now(), refresh, renew));
  return tokens.has_value() ? tokens->access_token() : "";
}

absl::Status Session::RenewKept() { return KeptToken(/*renew=*/true).status(); }

absl::Status Session::NeedSide() const {
  return settings_.side.empty()
             ? UsageError("say whose: --side order or --side processing")
             : absl::OkStatus();
}

absl::StatusOr<Session::Route> Session::RouteFor(const MethodDescriptor& method,
                                                 Side side, Role role) {
  last_ = {.method = MethodName(method),
           .access = AccessText(method),
           .correlation_id = correlation_id_};
  if (side == common::v1::SIDE_UNSPECIFIED) {
    ASSIGN_OR_RETURN(side, ChooseSide(method));
  }
  Route route;
  ASSIGN_OR_RETURN(route.client, ClientOf(side));
  last_.target = route.client->target();
  ASSIGN_OR_RETURN(const std::string token, TokenFor(method, role));
  route.options.deadline = absl::Now() + settings_.timeout;
  route.options.metadata = {{rpc::kCorrelationIdKey, correlation_id_}};
  if (!token.empty()) {
    route.options.metadata.emplace_back(rpc::kAuthorizationKey,
                                        "Bearer " + token);
  }
  for (const auto& [key, value] : route.options.metadata) {
    if (!rpc::IsMetadataValue(value)) {
      return UsageError(absl::StrCat(
          key == rpc::kAuthorizationKey ? "the token" : "the correlation id",
          " has characters that do not belong there"));
    }
  }
  return route;
}

bool Session::SentKeptToken(const Route& route) const {
  const auto kept = Kept().Read();
  if (!kept.ok() || !kept->has_value()) return false;
  const rpc::Metadata& sent = route.options.metadata;
  return std::find(sent.begin(), sent.end(),
                   std::pair<std::string, std::string>(
                       rpc::kAuthorizationKey,
                       "Bearer " + (*kept)->access_token())) != sent.end();
}

absl::Status Session::Ask(
    const MethodDescriptor& method, Side side, Role role,
    const std::function<absl::Status(const Route&)>& ask) {
  ASSIGN_OR_RETURN(const Route route, RouteFor(method, side, role));
  absl::Status status = ask(route);
  if (errors::Reason(status) != "TOKEN_KEY_UNKNOWN" || !SentKeptToken(route) ||
      !RenewKept().ok()) {
    return status;
  }
  ASSIGN_OR_RETURN(const Route renewed, RouteFor(method, side, role));
  return ask(renewed);
}

absl::StatusOr<Caller> Session::CallerAs(Role role, Side side) {
  ASSIGN_OR_RETURN(const Route route,
                   RouteFor(MethodOf(*ops::v1::GetVersionRequest::descriptor()),
                            side, role));
  return Caller(*route.client, route.options.metadata, settings_.timeout);
}

absl::StatusOr<std::string> Session::CallerOf(const MethodDescriptor& method) {
  ASSIGN_OR_RETURN(const std::string token,
                   TokenFor(method, options::v1::ROLE_UNSPECIFIED));
  ASSIGN_OR_RETURN(const Side side, ChooseSide(method));
  ASSIGN_OR_RETURN(const Client* client, ClientOf(side));
  return absl::StrCat(PersonIn(token).subject, "@", client->target());
}

absl::StatusOr<std::string> Session::PersonOf(const MethodDescriptor& method) {
  ASSIGN_OR_RETURN(const std::string token,
                   TokenFor(method, options::v1::ROLE_UNSPECIFIED));
  return NameOf(PersonIn(token));
}

absl::Status Session::MayCall(const MethodDescriptor& method) {
  ASSIGN_OR_RETURN(const std::string token,
                   TokenFor(method, options::v1::ROLE_UNSPECIFIED));
  const Person person = PersonIn(token);
  const std::vector<Role> roles = RolesOf(method);
  if (person.role == options::v1::ROLE_UNSPECIFIED || roles.empty() ||
      std::find(roles.begin(), roles.end(), person.role) != roles.end()) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat(NameOf(person), " may not do this (", method.name(),
                   "); it is for ", AccessText(method)));
}

absl::Status Caller::Call(const Message& request, Message& response) const {
  return client_.Call(
      MethodOf(*request.GetDescriptor()), request, response,
      {.deadline = absl::Now() + timeout_, .metadata = metadata_});
}

absl::Status Caller::Send(const MethodDescriptor& method,
                          const std::function<bool(Message&)>& next,
                          Message& response) const {
  return client_.SendStream(
      method, next, response,
      {.deadline = absl::Now() + timeout_, .metadata = metadata_});
}

absl::Status Session::Call(Message& request, Message& response) {
  return CallAs(options::v1::ROLE_UNSPECIFIED, request, response);
}

absl::Status Session::CallAs(Role role, Message& request, Message& response) {
  return CallSide(common::v1::SIDE_UNSPECIFIED, role, request, response);
}

absl::Status Session::CallSide(Side side, Role role, Message& request,
                               Message& response) {
  const MethodDescriptor& method = MethodOf(*request.GetDescriptor());
  EnsureRequestId(request);
  return Ask(method, side, role, [&](const Route& route) {
    NoteRequestId(request);
    return route.client->Call(method, request, response, route.options);
  });
}

absl::Status Session::List(Message& request, int64_t limit, Message& response) {
  const std::unique_ptr<Message> page(response.New());
  for (;;) {
    const int64_t wanted =
        std::min<int64_t>(limit - CountOf(response), kLargestPage);
    request.GetReflection()->SetInt32(&request, Field(request, "page_size"),
                                      static_cast<int32_t>(wanted));
    page->Clear();
    RETURN_IF_ERROR(Call(request, *page));
    const std::string next = TextOf(*page, "next_page_token");
    SetText(response, "next_page_token", "");
    response.MergeFrom(*page);
    if (next.empty() || CountOf(response) >= limit) return absl::OkStatus();
    SetText(request, "page_token", next);
  }
}

absl::Status Session::SendStream(const MethodDescriptor& method,
                                 const std::function<bool(Message&)>& next,
                                 Message& response) {
  return SendStreamAs(options::v1::ROLE_UNSPECIFIED, method, next, response);
}

absl::Status Session::SendStreamAs(Role role, const MethodDescriptor& method,
                                   const std::function<bool(Message&)>& next,
                                   Message& response) {
  ASSIGN_OR_RETURN(const Route route,
                   RouteFor(method, common::v1::SIDE_UNSPECIFIED, role));
  bool first = true;
  const auto with_request_id = [&](Message& message) {
    if (!next(message)) return false;
    if (std::exchange(first, false)) {
      EnsureRequestId(message);
      NoteRequestId(message);
    }
    return true;
  };
  return route.client->SendStream(method, with_request_id, response,
                                  route.options);
}

absl::Status Session::ReadStream(Message& request, Message& response,
                                 const std::function<void()>& take) {
  return ReadStreamAs(options::v1::ROLE_UNSPECIFIED, request, response, take);
}

absl::Status Session::ReadStreamAs(Role role, Message& request,
                                   Message& response,
                                   const std::function<void()>& take) {
  const MethodDescriptor& method = MethodOf(*request.GetDescriptor());
  return Ask(method, common::v1::SIDE_UNSPECIFIED, role,
             [&](const Route& route) {
               return route.client->ReadStream(method, request, response, take,
                                               route.options);
             });
}

absl::Status Session::Show(const Message& response,
                           const std::function<std::string()>& text) {
  if (settings_.json) {
    out_ << JsonOf(response);
    return absl::OkStatus();
  }
  out_ << text();
  if (Field(response, "next_page_token") != nullptr &&
      !TextOf(response, "next_page_token").empty()) {
    out_.flush();
    err_ << "There are more: --limit N or --all shows them.\n";
  }
  return absl::OkStatus();
}

}  // namespace mtp::cli
