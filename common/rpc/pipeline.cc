#include "common/rpc/pipeline.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/rpc/metadata.h"
#include "common/rpc/status.h"
#include "common/rpc/token.h"
#include "common/rpc/validation.h"
#include "google/protobuf/descriptor_database.h"
#include "mtp/options/v1/options.pb.h"

namespace mtp::rpc {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

namespace {

// What a caller turned away at the door is told to wait.
constexpr absl::Duration kOverloadDelay = absl::Milliseconds(500);

enum class Access { kNobody, kRoles, kSignedIn, kEveryone, kPeerService };

Access AccessOf(const options::v1::Access& access) {
  const int declared = (access.roles_size() > 0 ? 1 : 0) + access.signed_in() +
                       access.everyone() + access.peer_service();
  if (declared != 1) return Access::kNobody;
  if (access.roles_size() > 0) return Access::kRoles;
  if (access.signed_in()) return Access::kSignedIn;
  if (access.everyone()) return Access::kEveryone;
  return Access::kPeerService;
}

const options::v1::Access& AccessOption(const MethodDescriptor* method) {
  return method->options().GetExtension(options::v1::access);
}

uint64_t RoleBit(int role) {
  return role > 0 && role < 64 ? uint64_t{1} << role : 0;
}

const char* TypeName(const MethodDescriptor* method) {
  if (method->client_streaming()) {
    return method->server_streaming() ? "bidi_stream" : "client_stream";
  }
  return method->server_streaming() ? "server_stream" : "unary";
}

std::string_view View(absl::string_view text) {
  return {text.data(), text.size()};
}

[[noreturn]] void EndProcess(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

const char* KindName(Caller::Kind kind) {
  switch (kind) {
    case Caller::Kind::kNobody:
      return "nobody";
    case Caller::Kind::kPerson:
      return "person";
    case Caller::Kind::kService:
      return "service";
  }
  return "nobody";
}

}  // namespace

bool DeclaresAccess(const MethodDescriptor* method) {
  return AccessOf(AccessOption(method)) != Access::kNobody;
}

std::vector<const ServiceDescriptor*> LinkedServices(
    const std::vector<std::string>& packages) {
  std::vector<std::string> files;
  DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::vector<const ServiceDescriptor*> services;
  for (const std::string& name : files) {
    const auto* file = DescriptorPool::generated_pool()->FindFileByName(name);
    if (file == nullptr || std::find(packages.begin(), packages.end(),
                                     file->package()) == packages.end()) {
      continue;
    }
    for (int i = 0; i < file->service_count(); ++i) {
      services.push_back(file->service(i));
    }
  }
  std::sort(services.begin(), services.end(), [](const auto* a, const auto* b) {
    return a->full_name() < b->full_name();
  });
  return services;
}

struct Pipeline::Entry {
  Entry(const MethodDescriptor* m, bool is_of_peer)
      : method(m),
        of_peer(is_of_peer),
        access(AccessOf(AccessOption(m))),
        // What the peer tells is judged state by state by its receiver; one bad
        // state must not hold up the others.
        validator(m->input_type(), access == Access::kPeerService
                                       ? Validator::Scope::kFrame
                                       : Validator::Scope::kWhole) {
    for (const int role : AccessOption(m).roles()) {
      allowed |= RoleBit(role);
      absl::StrAppend(&allowed_names, allowed_names.empty() ? "" : ", ",
                      RoleName(static_cast<options::v1::Role>(role)));
    }
  }

  const MethodDescriptor* const method;
  const bool of_peer;
  const Access access;
  const Validator validator;
  uint64_t allowed = 0;  // a bit per role
  std::string allowed_names;
  // Requests that change something carry a request_id.
  const bool changes_something =
      method->input_type()->FindFieldByName("request_id") != nullptr;
  std::unique_ptr<telemetry::MethodMetrics> metrics;
  Handler handler;
};

// A call in the pipeline's hands and then in a handler's.
class Pipeline::OpenCall final : public Call {
 public:
  OpenCall(Pipeline* pipeline, Entry* entry, Exchange* exchange)
      : pipeline_(pipeline), entry_(entry), exchange_(exchange) {
    method = entry->method;
    received = pipeline->dependencies_.clock();
    correlation_id =
        TakeCorrelationId(exchange->Header(kCorrelationIdKey), received);
    remote_address = exchange->RemoteAddress();
    traceparent = ContinueTrace(exchange->Header(kTraceparentKey));
    forwarded = !exchange->Header(kForwardedKey).empty();
  }

  ~OpenCall() override {
    if (exchange_ != nullptr) {
      Fail(absl::InternalError("the call was dropped without an answer"));
    }
  }

  bool Cancelled() const override {
    return exchange_ == nullptr || exchange_->Cancelled();
  }

  void AddTrailer(std::string_view key, std::string_view value) override {
    if (exchange_ == nullptr) return;
    if (!IsMetadataKey(key) || !IsMetadataValue(value)) {
      pipeline_->dependencies_.log->Error(
          "a trailer that cannot be sent was left out",
          {{"key", key}, {"correlation_id", correlation_id}});
      return;
    }
    exchange_->AddTrailer(key, value);
  }

  void Reply(std::string bytes) override {
    std::vector<std::string> messages;
    messages.push_back(std::move(bytes));
    Answer(absl::OkStatus(), std::move(messages));
  }

  void ReplyStream(std::vector<std::string> messages) override {
    if (!method->server_streaming() && messages.size() != 1) {
      Fail(absl::InternalError("a single reply was answered with a stream"));
      return;
    }
    Answer(absl::OkStatus(), std::move(messages));
  }

  void Fail(absl::Status status) override {
    if (status.ok()) {
      status = absl::InternalError("a call was failed with OK");
    }
    Answer(std::move(status), {});
  }

  Entry* entry() const { return entry_; }
  Exchange* exchange() const { return exchange_; }

 private:
  void Answer(absl::Status status, std::vector<std::string> messages) {
    Exchange* exchange = std::exchange(exchange_, nullptr);
    if (exchange == nullptr) {
      pipeline_->dependencies_.log->Error("a call was answered twice",
                                          {{"method", method->full_name()},
                                           {"correlation_id", correlation_id}});
      return;
    }
    size_t bytes = 0;
    for (const std::string& message : messages) bytes += message.size();
    pipeline_->Report(*this, status, bytes);
    exchange->AddTrailer(kCorrelationIdKey, correlation_id);
    exchange->Answer(
        ToGrpc(status, pipeline_->settings_.domain, correlation_id),
        std::move(messages));
  }

  Pipeline* const pipeline_;
  Entry* const entry_;
  Exchange* exchange_;  // null once answered
};

Pipeline::Pipeline(Settings settings, Dependencies dependencies)
    : settings_(std::move(settings)), dependencies_(std::move(dependencies)) {}

Pipeline::~Pipeline() = default;

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(
    Settings settings, Dependencies dependencies) {
  std::vector<std::string> all = settings.packages;
  all.insert(all.end(), settings.peer_packages.begin(),
             settings.peer_packages.end());
  for (const std::string& package : all) {
    if (LinkedServices({package}).empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("no service of the package ", package, " is linked in"));
    }
  }
  std::unique_ptr<Pipeline> pipeline(
      new Pipeline(std::move(settings), std::move(dependencies)));
  for (const auto* service : LinkedServices(pipeline->settings_.packages)) {
    pipeline->AddService(service, /*of_peer=*/false);
  }
  for (const auto* service :
       LinkedServices(pipeline->settings_.peer_packages)) {
    pipeline->AddService(service, /*of_peer=*/true);
  }
  return pipeline;
}

void Pipeline::AddService(const ServiceDescriptor* service, bool of_peer) {
  (of_peer ? peer_services_ : services_).push_back(service);
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor* method = service->method(i);
    auto entry = std::make_unique<Entry>(method, of_peer);
    entry->metrics = dependencies_.metrics->ForMethod(
        TypeName(method), service->full_name(), method->name());
    if (entry->access == Access::kNobody) {
      dependencies_.log->Error(
          "the method declares no access and answers nobody",
          {{"method", method->full_name()}});
    }
    entries_.emplace(method, std::move(entry));
  }
}

void Pipeline::Route(std::string_view method, Handler handler) {
  std::string name(method);
  std::replace(name.begin(), name.end(), '/', '.');
  const MethodDescriptor* descriptor =
      DescriptorPool::generated_pool()->FindMethodByName(name);
  Entry* entry = descriptor == nullptr ? nullptr : Find(descriptor);
  if (entry == nullptr) {
    EndProcess("routed a method that the contract does not have: " +
               std::string(method));
  }
  if (entry->handler) {
    EndProcess("routed a method twice: " + std::string(method));
  }
  entry->handler = std::move(handler);
}

void Pipeline::RoutePeer(const Handler& handler) {
  for (const auto& [method, entry] : entries_) {
    if (entry->of_peer) entry->handler = handler;
  }
}

std::vector<std::string> Pipeline::Unrouted() const {
  std::vector<std::string> names;
  for (const auto& [method, entry] : entries_) {
    if (!entry->handler && !entry->of_peer)
      names.push_back(method->full_name());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Pipeline::Entry* Pipeline::Find(const MethodDescriptor* method) const {
  const auto it = entries_.find(method);
  return it == entries_.end() ? nullptr : it->second.get();
}

std::unique_ptr<Call> Pipeline::Open(Entry* entry, Exchange* exchange) {
  entry->metrics->Started();
  auto call = std::make_unique<OpenCall>(this, entry, exchange);
  absl::Status status;
  try {
    status = Admit(*call);
  } catch (const std::exception& e) {
    status = absl::InternalError(absl::StrCat("exception: ", e.what()));
  } catch (...) {
    status = absl::InternalError("an exception of an unknown kind");
  }
  if (status.ok()) return call;
  call->Fail(std::move(status));
  return nullptr;
}

absl::Status Pipeline::Admit(OpenCall& call) {
  Exchange* exchange = call.exchange();
  const int others = in_flight_.fetch_add(1, std::memory_order_relaxed);
  exchange->ticket = InFlightTicket(&in_flight_);
  if (others >= settings_.max_in_flight) {
    return errors::Overloaded("the server has too many calls in flight",
                              kOverloadDelay);
  }
  call.deadline = std::min(exchange->Deadline(), absl::InfiniteFuture());
  if (call.deadline == absl::InfiniteFuture()) {
    call.deadline = call.received + settings_.default_deadline;
  }

  const Entry& entry = *call.entry();
  if (call.forwarded) {
    const std::string_view address = exchange->Header(kForwardedForKey);
    if (!address.empty() &&
        dependencies_.authenticator->IsPeer(exchange->CertificateNames())) {
      call.remote_address = address;
    }
  }
  // A stale token must not keep anybody from what needs none, such as getting
  // a fresh one.
  if (entry.access == Access::kEveryone && !entry.of_peer)
    return absl::OkStatus();
  // Whoever stands in between may have looked at the other one.
  if (exchange->HasSeveral(kAuthorizationKey)) {
    return errors::Unauthenticated("TOKEN_AMBIGUOUS",
                                   "there is more than one authorization");
  }
  call.authorization = exchange->Header(kAuthorizationKey);
  if (entry.of_peer) return absl::OkStatus();
  // The certificate of a forwarded call is that of who passes it on.
  const auto certificate_names = [&call, exchange] {
    return call.forwarded ? std::vector<std::string>()
                          : exchange->CertificateNames();
  };
  ASSIGN_OR_RETURN(call.caller, dependencies_.authenticator->Authenticate(
                                    call.authorization, certificate_names));
  return Authorise(entry, call.caller);
}

absl::Status Pipeline::Authorise(const Entry& entry,
                                 const Caller& caller) const {
  if (entry.access == Access::kNobody) {
    return errors::PermissionDenied(
        "ACCESS_UNDECLARED",
        "the method declares no access; it answers nobody");
  }
  if (caller.kind == Caller::Kind::kNobody) {
    return entry.access == Access::kPeerService
               ? errors::Unauthenticated(
                     "CERTIFICATE_MISSING",
                     "only the peer service, known by its certificate, may "
                     "call this")
               : errors::Unauthenticated("TOKEN_MISSING",
                                         "a bearer token is needed");
  }
  const bool is_service = caller.kind == Caller::Kind::kService;
  if (entry.access == Access::kPeerService) {
    return is_service
               ? absl::OkStatus()
               : errors::PermissionDenied("SERVICES_ONLY",
                                          "only the peer service, known by its "
                                          "certificate, may call this");
  }
  if (is_service) {
    return errors::PermissionDenied(
        "PEOPLE_ONLY", "a person's token is needed, not a certificate");
  }
  const std::vector<std::string>& at_once = settings_.before_password_change;
  if (caller.must_change_password &&
      std::find(at_once.begin(), at_once.end(), entry.method->full_name()) ==
          at_once.end()) {
    return errors::PermissionDenied(
        "PASSWORD_CHANGE_NEEDED",
        "the password was given by another person: change it first, then "
        "refresh the session");
  }
  if (entry.access == Access::kSignedIn ||
      (entry.allowed & RoleBit(caller.role)) != 0) {
    return absl::OkStatus();
  }
  return errors::PermissionDenied(
      "ROLE_NOT_ALLOWED",
      absl::StrCat(RoleName(caller.role), " may not do this; ",
                   entry.allowed_names, " may"),
      {{"role", RoleName(caller.role)},
       {"allowed_roles", entry.allowed_names}});
}

void Pipeline::Submit(std::unique_ptr<Call> call, std::string bytes) {
  auto& open = static_cast<OpenCall&>(*call);
  const std::string correlation_id = open.correlation_id;
  const MethodDescriptor* const method = open.method;
  const auto tell = [&](const char* what) {
    dependencies_.log->Error("an exception left the handling of a call",
                             {{"method", method->full_name()},
                              {"correlation_id", correlation_id},
                              {"error", what}});
  };
  // A handler that throws destroys the call, which then answers INTERNAL.
  try {
    absl::Status status = Prepare(open, std::move(bytes));
    if (!status.ok()) {
      open.Fail(std::move(status));
      return;
    }
    open.entry()->handler(std::move(call));
  } catch (const std::exception& e) {
    tell(e.what());
  } catch (...) {
    tell("of an unknown kind");
  }
}

absl::Status Pipeline::Prepare(OpenCall& call, std::string bytes) {
  const Entry& entry = *call.entry();
  const absl::Time now = dependencies_.clock();
  call.request = std::move(bytes);
  if (!entry.of_peer) {
    ASSIGN_OR_RETURN(call.message, entry.validator.Parse(call.request, now));
  }
  if (now >= call.deadline) {
    return errors::Make(absl::StatusCode::kDeadlineExceeded,
                        "DEADLINE_EXCEEDED",
                        "the deadline had passed before the call was begun");
  }
  if (!entry.handler) {
    return errors::Make(
        absl::StatusCode::kUnimplemented, "NOT_IN_THIS_RELEASE",
        absl::StrCat(entry.method->full_name(),
                     " is part of the contract, but not of this release"));
  }
  return absl::OkStatus();
}

void Pipeline::Report(const OpenCall& call, const absl::Status& status,
                      size_t reply_bytes) {
  using telemetry::Level;
  const Entry& entry = *call.entry();
  const absl::Duration took = dependencies_.clock() - call.received;
  entry.metrics->Handled(static_cast<int>(status.code()), took);

  Level level = Level::kDebug;
  if (status.code() == absl::StatusCode::kInternal ||
      status.code() == absl::StatusCode::kUnknown ||
      status.code() == absl::StatusCode::kDataLoss) {
    level = Level::kError;
  } else if (!status.ok() || entry.changes_something) {
    level = Level::kInfo;
  }
  telemetry::Log& log = *dependencies_.log;
  if (!log.Enabled(level)) return;
  const std::string code = absl::StatusCodeToString(status.code());
  const std::string reason = status.ok() ? "" : errors::Reason(status);
  log.Write(level, "call",
            {{"method", entry.method->full_name()},
             {"code", code},
             {"reason", reason},
             {"error", View(status.message())},
             {"correlation_id", call.correlation_id},
             {"traceparent", call.traceparent},
             {"caller", KindName(call.caller.kind)},
             {"subject", call.caller.subject},
             {"username", call.caller.username},
             {"role", RoleName(call.caller.role)},
             {"seconds", absl::ToDoubleSeconds(took)},
             // A handler may have let the bytes go.
             {"request_bytes", call.request.empty() && call.message != nullptr
                                   ? call.message->ByteSizeLong()
                                   : call.request.size()},
             {"reply_bytes", reply_bytes}});
}

}  // namespace mtp::rpc
