#include "tests/support/client.h"

#include <algorithm>
#include <latch>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/rpc/bytes.h"
#include "common/rpc/status.h"
#include "google/rpc/error_details.pb.h"
#include "grpcpp/generic/generic_stub.h"

namespace mtp::tests {
namespace {

// Waits for the one operation that is under way.
bool Done(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

}  // namespace

std::string Reply::Trailer(std::string_view name) const {
  for (const auto& [key, value] : trailers) {
    if (key == name) return value;
  }
  return "";
}

Reply Client::Send(std::string_view method,
                   const std::vector<std::string>& messages,
                   absl::Duration limit) const {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + limit));
  for (const auto& [key, value] : metadata_) context.AddMetadata(key, value);

  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel_);
  const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call =
      stub.PrepareCall(&context, "/" + std::string(method), &queue);
  Reply reply;
  call->StartCall(nullptr);
  if (Done(queue)) {
    bool taken = true;
    for (size_t i = 0; taken && i < messages.size(); ++i) {
      call->Write(rpc::MakeBuffer(messages[i]), nullptr);
      taken = Done(queue);
    }
    if (taken) {
      call->WritesDone(nullptr);
      Done(queue);
    }
    grpc::ByteBuffer incoming;
    while (true) {
      call->Read(&incoming, nullptr);
      if (!Done(queue)) break;
      rpc::AppendBytes(incoming, reply.messages.emplace_back());
    }
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  Done(queue);
  queue.Shutdown();
  reply.status = rpc::FromGrpc(status);
  for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
    const std::string name(key.data(), key.size());
    if (name.ends_with("-bin")) continue;
    reply.trailers.emplace_back(name, std::string(value.data(), value.size()));
  }
  return reply;
}

Client Client::With(std::string name, std::string value) const {
  Client other = *this;
  other.metadata_.emplace_back(std::move(name), std::move(value));
  return other;
}

void AtOnce(int count, const std::function<void(int)>& act) {
  std::latch start(count);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      act(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<std::string> BadFields(const absl::Status& status) {
  std::vector<std::string> fields;
  const auto bytes =
      status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  google::rpc::BadRequest details;
  if (!bytes.has_value() || !details.ParseFromString(std::string(*bytes))) {
    return fields;
  }
  for (const auto& violation : details.field_violations()) {
    fields.push_back(violation.field());
  }
  std::sort(fields.begin(), fields.end());
  return fields;
}

std::string Value(const absl::Status& status, const std::string& name) {
  const auto bytes =
      status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  if (!bytes.has_value() || !info.ParseFromString(std::string(*bytes))) {
    return "";
  }
  const auto found = info.metadata().find(name);
  return found == info.metadata().end() ? "" : found->second;
}

}  // namespace mtp::tests
