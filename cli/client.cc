#include "cli/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/contract.h"
#include "common/base/status.h"
#include "common/rpc/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/impl/codegen/client_unary_call.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/codegen/rpc_method.h"
#include "grpcpp/support/sync_stream.h"

namespace mtp::cli {
namespace {

using google::protobuf::Message;
using grpc::internal::RpcMethod;

// What generated stubs do, for messages whose type is known at run time only.
std::string PathOf(const google::protobuf::MethodDescriptor& method) {
  return "/" + MethodName(method);
}

void Prepare(grpc::ClientContext& context, const Client::Options& options) {
  if (options.deadline != absl::InfiniteFuture()) {
    context.set_deadline(absl::ToChronoTime(options.deadline));
  }
  for (const auto& [key, value] : options.metadata) {
    context.AddMetadata(key, value);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Open(
    const rpc::ChannelSettings& settings) {
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                   rpc::MakeChannel(settings));
  return std::unique_ptr<Client>(
      new Client(settings.target, std::move(channel)));
}

absl::Status Client::Call(const Method& method, const Message& request,
                          Message& response, const Options& options) {
  grpc::ClientContext context;
  Prepare(context, options);
  const std::string path = PathOf(method);
  return rpc::FromGrpc(grpc::internal::BlockingUnaryCall<Message, Message>(
      channel_.get(), RpcMethod(path.c_str(), RpcMethod::NORMAL_RPC, channel_),
      &context, request, &response));
}

absl::Status Client::SendStream(const Method& method,
                                const std::function<bool(Message&)>& next,
                                Message& response, const Options& options) {
  grpc::ClientContext context;
  Prepare(context, options);
  const std::string path = PathOf(method);
  const RpcMethod rpc(path.c_str(), RpcMethod::CLIENT_STREAMING, channel_);
  const std::unique_ptr<grpc::ClientWriter<Message>> stream(
      grpc::internal::ClientWriterFactory<Message>::Create(
          channel_.get(), rpc, &context, &response));
  const auto* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(
          method.input_type());
  const std::unique_ptr<Message> message(prototype->New());
  bool open = true;
  while (open && next(*message)) {
    // A stream that the server ended says why in Finish.
    open = stream->Write(*message);
    message->Clear();
  }
  if (open) stream->WritesDone();
  return rpc::FromGrpc(stream->Finish());
}

absl::Status Client::ReadStream(const Method& method, const Message& request,
                                Message& response,
                                const std::function<void()>& take,
                                const Options& options) {
  grpc::ClientContext context;
  Prepare(context, options);
  const std::string path = PathOf(method);
  const RpcMethod rpc(path.c_str(), RpcMethod::SERVER_STREAMING, channel_);
  const std::unique_ptr<grpc::ClientReader<Message>> stream(
      grpc::internal::ClientReaderFactory<Message>::Create(channel_.get(), rpc,
                                                           &context, request));
  while (stream->Read(&response)) {
    take();
    response.Clear();
  }
  return rpc::FromGrpc(stream->Finish());
}

}  // namespace mtp::cli
