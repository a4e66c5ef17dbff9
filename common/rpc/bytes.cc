#include "common/rpc/bytes.h"

#include <utility>
#include <vector>

namespace mtp::rpc {
namespace {

// Below this copying is cheaper than keeping a string of its own.
constexpr size_t kCopyLimit = 4096;

}  // namespace

bool AppendBytes(const grpc::ByteBuffer& buffer, std::string& out) {
  if (!buffer.Valid()) return true;  // an empty message
  grpc::Slice single;
  if (buffer.TrySingleSlice(&single).ok()) {
    out.append(reinterpret_cast<const char*>(single.begin()), single.size());
    return true;
  }
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return false;
  out.reserve(out.size() + buffer.Length());
  for (const grpc::Slice& slice : slices) {
    out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return true;
}

grpc::ByteBuffer MakeBuffer(std::string bytes) {
  if (bytes.size() <= kCopyLimit) {
    const grpc::Slice slice(bytes);
    return grpc::ByteBuffer(&slice, 1);
  }
  auto* kept = new std::string(std::move(bytes));
  const grpc::Slice slice(
      kept->data(), kept->size(),
      [](void* p) { delete static_cast<std::string*>(p); }, kept);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace mtp::rpc
