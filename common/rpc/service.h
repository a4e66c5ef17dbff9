#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc/pipeline.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/impl/service_type.h"

namespace mtp::rpc {

// The streams that are open now, so that none outlives its deadline or holds
// up a drain. Thread-safe.
class OpenStreams {
 public:
  struct Limits {
    // Of one client stream's messages together.
    int64_t upload_bytes = 256 << 20;
    // Of all client streams being read.
    int64_t all_uploads_bytes = 1 << 30;
  };

  // A stream's side of this. End is called with the lock held; it must not
  // wait, nor remove itself on the same thread.
  class Stream {
   public:
    virtual ~Stream() = default;
    // Ends it when its deadline is before `now`, or, while draining, when its
    // request is not whole yet.
    virtual void EndIfDue(absl::Time now, bool draining) = 0;
  };

  explicit OpenStreams(Limits limits) : limits_(limits) {}

  void Add(Stream* stream);
  void Remove(Stream* stream);
  // To be called some times a second.
  void EndDue(absl::Time now);
  // Ends uploads now and those that begin from now on at the next EndDue.
  void Drain(absl::Time now);

  const Limits& limits() const { return limits_; }
  // Room for so many bytes more of uploads; false when there is none.
  bool Reserve(int64_t bytes);
  void Release(int64_t bytes) { uploading_.fetch_sub(bytes); }

 private:
  const Limits limits_;
  std::atomic<int64_t> uploading_{0};
  std::mutex mutex_;
  std::set<Stream*> streams_;
  bool draining_ = false;
};

// One service of the contract as gRPC sees it: made from its descriptor, every
// method raw bytes through the pipeline. Both given outlive it.
class RawService final : public grpc::Service {
 public:
  // Bidirectional methods are not served: they would be refused here.
  static absl::Status CanServe(
      const google::protobuf::ServiceDescriptor* service);

  RawService(const google::protobuf::ServiceDescriptor* service,
             Pipeline* pipeline, OpenStreams* streams);

 private:
  void AddRawMethod(int index, const google::protobuf::MethodDescriptor* method,
                    Pipeline* pipeline, OpenStreams* streams);

  // gRPC keeps pointers to the names.
  std::vector<std::unique_ptr<std::string>> names_;
};

}  // namespace mtp::rpc
