#include "common/rpc/service.h"

#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/errors.h"
#include "common/rpc/bytes.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/rpc_service_method.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace mtp::rpc {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using grpc::ByteBuffer;
using grpc::CallbackServerContext;

namespace {

absl::Status Late() {
  return errors::Make(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                      "the deadline passed before the request was whole");
}

// The address of `ipv4:127.0.0.1:40312` or `ipv6:%5B::1%5D:40312`, as gRPC
// names a peer, without the port.
std::string AddressOfPeer(std::string_view peer) {
  const bool ipv6 = peer.starts_with("ipv6:");
  if (!ipv6 && !peer.starts_with("ipv4:")) return "";
  peer.remove_prefix(5);
  std::string address(peer.substr(0, peer.rfind(':')));
  if (ipv6) {
    address = absl::StrReplaceAll(
        address, {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}});
  }
  return address;
}

// What all kinds of calls have in common.
class ContextExchange : public Exchange {
 public:
  explicit ContextExchange(CallbackServerContext* context)
      : context_(context) {}

  std::string_view Header(std::string_view key) const override {
    const auto& metadata = context_->client_metadata();
    const auto it = metadata.find(grpc::string_ref(key.data(), key.size()));
    return it == metadata.end()
               ? std::string_view()
               : std::string_view(it->second.data(), it->second.size());
  }

  bool HasSeveral(std::string_view key) const override {
    return context_->client_metadata().count(
               grpc::string_ref(key.data(), key.size())) > 1;
  }

  std::vector<std::string> CertificateNames() const override {
    std::vector<std::string> names;
    const auto auth = context_->auth_context();
    if (auth == nullptr || !auth->IsPeerAuthenticated()) return names;
    for (const grpc::string_ref& name : auth->GetPeerIdentity()) {
      names.emplace_back(name.data(), name.size());
    }
    return names;
  }

  std::string RemoteAddress() const override {
    return AddressOfPeer(context_->peer());
  }

  absl::Time Deadline() const override {
    const auto deadline = context_->deadline();
    return deadline == std::chrono::system_clock::time_point::max()
               ? absl::InfiniteFuture()
               : absl::FromChrono(deadline);
  }

  bool Cancelled() const override { return context_->IsCancelled(); }

  void AddTrailer(std::string_view key, std::string_view value) override {
    context_->AddTrailingMetadata(std::string(key), std::string(value));
  }

 protected:
  CallbackServerContext* context() const { return context_; }

 private:
  CallbackServerContext* const context_;
};

// A unary call. Uses the context's own reactor, which needs no further thread
// to be done; so the exchange is gone as soon as it has answered.
class UnaryExchange final : public ContextExchange {
 public:
  UnaryExchange(CallbackServerContext* context,
                grpc::ServerUnaryReactor* reactor, ByteBuffer* response)
      : ContextExchange(context), reactor_(reactor), response_(response) {}

  void Answer(grpc::Status status, std::vector<std::string> messages) override {
    if (status.ok() && !messages.empty()) {
      *response_ = MakeBuffer(std::move(messages.front()));
    }
    grpc::ServerUnaryReactor* reactor = reactor_;
    delete this;
    reactor->Finish(std::move(status));
  }

 private:
  grpc::ServerUnaryReactor* const reactor_;
  ByteBuffer* const response_;
};

grpc::ServerUnaryReactor* ServeUnary(Pipeline* pipeline, Pipeline::Entry* entry,
                                     CallbackServerContext* context,
                                     const ByteBuffer* request,
                                     ByteBuffer* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto* exchange = new UnaryExchange(context, reactor, response);
  if (auto call = pipeline->Open(entry, exchange)) {
    std::string bytes;
    if (AppendBytes(*request, bytes)) {
      pipeline->Submit(std::move(call), std::move(bytes));
    } else {
      call->Fail(absl::InternalError("the request's bytes cannot be read"));
    }
  }
  return reactor;
}

// A client stream: read to its end, then one request like any other.
class Upload final : public grpc::ServerReadReactor<ByteBuffer>,
                     public ContextExchange,
                     public OpenStreams::Stream {
 public:
  Upload(Pipeline* pipeline, Pipeline::Entry* entry, OpenStreams* streams,
         CallbackServerContext* context, ByteBuffer* response)
      : ContextExchange(context),
        pipeline_(pipeline),
        streams_(streams),
        response_(response) {
    call_ = pipeline_->Open(entry, this);
    if (call_ == nullptr) return;
    streams_->Add(this);
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    std::unique_lock lock(mutex_);
    if (call_ == nullptr) return;  // ended meanwhile
    if (!ok) {
      std::unique_ptr<Call> call = std::move(call_);
      std::string bytes = std::move(bytes_);
      lock.unlock();
      if (Cancelled()) {
        call->Fail(absl::CancelledError("the client went away"));
      } else {
        pipeline_->Submit(std::move(call), std::move(bytes));
      }
      return;
    }
    absl::Status taken = Take();
    if (!taken.ok()) {
      std::unique_ptr<Call> call = std::move(call_);
      bytes_ = {};
      lock.unlock();
      call->Fail(std::move(taken));
      return;
    }
    lock.unlock();
    StartRead(&incoming_);
  }

  void OnDone() override {
    streams_->Remove(this);
    delete this;
  }

  void Answer(grpc::Status status, std::vector<std::string> messages) override {
    if (status.ok() && !messages.empty()) {
      *response_ = MakeBuffer(std::move(messages.front()));
    }
    Finish(std::move(status));
  }

  void EndIfDue(absl::Time now, bool draining) override {
    std::unique_ptr<Call> call;
    bool late = false;
    {
      std::lock_guard lock(mutex_);
      if (call_ == nullptr) return;
      late = now >= call_->deadline;
      if (!late && !draining) return;
      call = std::move(call_);
    }
    call->Fail(late ? Late() : errors::Draining());
  }

 private:
  ~Upload() override { streams_->Release(reserved_); }

  // Adds the message just read, under mutex_.
  absl::Status Take() {
    const auto size = static_cast<int64_t>(incoming_.Length());
    const int64_t limit = streams_->limits().upload_bytes;
    if (static_cast<int64_t>(bytes_.size()) + size > limit) {
      return errors::Make(
          absl::StatusCode::kResourceExhausted, "STREAM_TOO_LARGE",
          absl::StrCat("the messages together are over ", limit, " bytes"),
          {{"limit_bytes", absl::StrCat(limit)}});
    }
    if (!streams_->Reserve(size)) {
      return errors::Overloaded("too much is being uploaded at this moment",
                                absl::Seconds(5));
    }
    reserved_ += size;
    if (!AppendBytes(incoming_, bytes_)) {
      return absl::InternalError("the request's bytes cannot be read");
    }
    incoming_.Clear();
    call_->message_ends.push_back(bytes_.size());
    return absl::OkStatus();
  }

  Pipeline* const pipeline_;
  OpenStreams* const streams_;
  ByteBuffer* const response_;
  ByteBuffer incoming_;
  int64_t reserved_ = 0;
  std::mutex mutex_;
  // While the request is being read; then the handler has it.
  std::unique_ptr<Call> call_;
  std::string bytes_;
};

// A server stream: the replies are written one after the other, as fast as the
// client takes them.
class Download final : public grpc::ServerWriteReactor<ByteBuffer>,
                       public ContextExchange,
                       public OpenStreams::Stream {
 public:
  Download(Pipeline* pipeline, Pipeline::Entry* entry, OpenStreams* streams,
           CallbackServerContext* context, const ByteBuffer* request)
      : ContextExchange(context), streams_(streams) {
    streams_->Add(this);
    std::unique_ptr<Call> call = pipeline->Open(entry, this);
    if (call == nullptr) return;
    deadline_.store(absl::ToUnixMicros(call->deadline),
                    std::memory_order_relaxed);
    std::string bytes;
    if (AppendBytes(*request, bytes)) {
      pipeline->Submit(std::move(call), std::move(bytes));
    } else {
      call->Fail(absl::InternalError("the request's bytes cannot be read"));
    }
  }

  void Answer(grpc::Status status, std::vector<std::string> messages) override {
    status_ = std::move(status);
    messages_ = std::move(messages);
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      WriteNext();
    } else {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the client went away"));
    }
  }

  void OnDone() override {
    streams_->Remove(this);
    delete this;
  }

  void EndIfDue(absl::Time now, bool /*draining*/) override {
    if (absl::ToUnixMicros(now) >= deadline_.load(std::memory_order_relaxed)) {
      context()->TryCancel();
    }
  }

 private:
  void WriteNext() {
    if (next_ == messages_.size()) {
      Finish(std::move(status_));
      return;
    }
    outgoing_ = MakeBuffer(std::move(messages_[next_++]));
    StartWrite(&outgoing_);
  }

  OpenStreams* const streams_;
  std::atomic<int64_t> deadline_{std::numeric_limits<int64_t>::max()};
  // Set by Answer, then only touched by one write after the other.
  grpc::Status status_;
  std::vector<std::string> messages_;
  size_t next_ = 0;
  ByteBuffer outgoing_;
};

}  // namespace

void OpenStreams::Add(Stream* stream) {
  std::lock_guard lock(mutex_);
  streams_.insert(stream);
}

void OpenStreams::Remove(Stream* stream) {
  std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

void OpenStreams::EndDue(absl::Time now) {
  std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) stream->EndIfDue(now, draining_);
}

void OpenStreams::Drain(absl::Time now) {
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
  }
  EndDue(now);
}

bool OpenStreams::Reserve(int64_t bytes) {
  if (uploading_.fetch_add(bytes) + bytes <= limits_.all_uploads_bytes) {
    return true;
  }
  uploading_.fetch_sub(bytes);
  return false;
}

absl::Status RawService::CanServe(const ServiceDescriptor* service) {
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor* method = service->method(i);
    if (method->client_streaming() && method->server_streaming()) {
      return absl::UnimplementedError(absl::StrCat(
          method->full_name(), " streams both ways, which is not served"));
    }
  }
  return absl::OkStatus();
}

RawService::RawService(const ServiceDescriptor* service, Pipeline* pipeline,
                       OpenStreams* streams) {
  for (int i = 0; i < service->method_count(); ++i) {
    AddRawMethod(i, service->method(i), pipeline, streams);
  }
}

void RawService::AddRawMethod(int index, const MethodDescriptor* method,
                              Pipeline* pipeline, OpenStreams* streams) {
  using grpc::internal::RpcMethod;
  names_.push_back(std::make_unique<std::string>(
      absl::StrCat("/", method->service()->full_name(), "/", method->name())));
  const char* name = names_.back()->c_str();
  Pipeline::Entry* entry = pipeline->Find(method);
  if (method->client_streaming()) {
    AddMethod(new grpc::internal::RpcServiceMethod(
        name, RpcMethod::CLIENT_STREAMING, nullptr));
    MarkMethodRawCallback(
        index, new grpc::internal::CallbackClientStreamingHandler<ByteBuffer,
                                                                  ByteBuffer>(
                   [=](CallbackServerContext* context, ByteBuffer* response) {
                     return new Upload(pipeline, entry, streams, context,
                                       response);
                   }));
  } else if (method->server_streaming()) {
    AddMethod(new grpc::internal::RpcServiceMethod(
        name, RpcMethod::SERVER_STREAMING, nullptr));
    MarkMethodRawCallback(
        index,
        new grpc::internal::CallbackServerStreamingHandler<ByteBuffer,
                                                           ByteBuffer>(
            [=](CallbackServerContext* context, const ByteBuffer* request) {
              return new Download(pipeline, entry, streams, context, request);
            }));
  } else {
    AddMethod(new grpc::internal::RpcServiceMethod(name, RpcMethod::NORMAL_RPC,
                                                   nullptr));
    MarkMethodRawCallback(
        index, new grpc::internal::CallbackUnaryHandler<ByteBuffer, ByteBuffer>(
                   [=](CallbackServerContext* context,
                       const ByteBuffer* request, ByteBuffer* response) {
                     return ServeUnary(pipeline, entry, context, request,
                                       response);
                   }));
  }
}

}  // namespace mtp::rpc
