#include "common/handlers/paging.h"

#include <sodium.h>

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/errors.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace mtp::handlers {
namespace {

constexpr int64_t kDefaultPageSize = 50;
constexpr int64_t kMaxPageSize = 1000;

// Keys are texts without control characters; this separates them.
constexpr char kSeparator = '\x1f';

std::string Deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&out);
  }
  return bytes;
}

// Of everything in the request but the page: the filter and the order.
std::string FilterDigest(const google::protobuf::Message& request) {
  std::unique_ptr<google::protobuf::Message> filter(request.New());
  filter->CopyFrom(request);
  for (const char* name : {"page_size", "page_token"}) {
    const auto* field = filter->GetDescriptor()->FindFieldByName(name);
    if (field != nullptr)
      filter->GetReflection()->ClearField(filter.get(), field);
  }
  const std::string bytes =
      request.GetDescriptor()->full_name() + Deterministic(*filter);
  std::string digest(crypto_generichash_BYTES_MIN, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()),
                     digest.size(),
                     reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size(), nullptr, 0);
  return digest;
}

}  // namespace

absl::Status PageTokenInvalid() {
  return errors::Make(
      absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
      "the page token does not belong to this filter and order");
}

int64_t PageSize(int32_t page_size) {
  if (page_size <= 0) return kDefaultPageSize;
  return std::min<int64_t>(page_size, kMaxPageSize);
}

std::string NextPageToken(const google::protobuf::Message& request,
                          const std::vector<std::string>& keys) {
  return absl::WebSafeBase64Escape(
      FilterDigest(request) + absl::StrJoin(keys, std::string(1, kSeparator)));
}

absl::StatusOr<std::vector<std::string>> PageKeys(
    const google::protobuf::Message& request, size_t count) {
  const auto* field = request.GetDescriptor()->FindFieldByName("page_token");
  const std::string token = request.GetReflection()->GetString(request, field);
  if (token.empty()) return std::vector<std::string>{};
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes)) return PageTokenInvalid();
  const std::string digest = FilterDigest(request);
  if (!bytes.starts_with(digest)) return PageTokenInvalid();
  std::vector<std::string> keys =
      absl::StrSplit(bytes.substr(digest.size()), kSeparator);
  if (keys.size() != count) return PageTokenInvalid();
  return keys;
}

}  // namespace mtp::handlers
