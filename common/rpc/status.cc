#include "common/rpc/status.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace mtp::rpc {
namespace {

// On the wire the details are base64, a third longer: 4.5 KiB become 6 KiB of
// trailers. Clients drop trailers over 8 KiB whole.
constexpr size_t kDetailsLimit = 4608;
// The message travels twice, percent-encoded the second time.
constexpr size_t kMessageLimit = 480;
constexpr size_t kMetadataValueLimit = 256;
constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kBadRequestUrl[] = "type.googleapis.com/google.rpc.BadRequest";
constexpr char kPreconditionFailureUrl[] =
    "type.googleapis.com/google.rpc.PreconditionFailure";

// Shortens to at most `limit` bytes, between characters.
std::string Shortened(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  constexpr std::string_view kEllipsis = "\xe2\x80\xa6";
  size_t end = limit - kEllipsis.size();
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)).append(kEllipsis);
}

bool IsServersFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal ||
         code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

struct Detail {
  std::string url;
  std::string bytes;
};

std::vector<Detail> OtherDetails(const absl::Status& status) {
  std::vector<Detail> details;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& bytes) {
    std::string name(url.data(), url.size());
    if (name != kErrorInfoUrl) {
      details.push_back({std::move(name), std::string(bytes)});
    }
  });
  // absl keeps payloads in no order of meaning.
  std::sort(details.begin(), details.end(),
            [](const Detail& a, const Detail& b) { return a.url < b.url; });
  return details;
}

google::rpc::ErrorInfo InfoOf(const absl::Status& status,
                              std::string_view domain) {
  google::rpc::ErrorInfo info;
  if (const auto bytes = status.GetPayload(kErrorInfoUrl); bytes.has_value()) {
    info.ParseFromString(std::string(*bytes));
  }
  if (info.reason().empty()) {
    info.set_reason(absl::StatusCodeToString(status.code()));
  }
  if (info.domain().empty()) info.set_domain(std::string(domain));
  for (auto& [key, value] : *info.mutable_metadata()) {
    value = Shortened(value, kMetadataValueLimit);
  }
  return info;
}

// Drops violations from the end until `detail` fits `room`; the number dropped.
template <typename Message, typename Violation>
int Drop(google::protobuf::RepeatedPtrField<Violation>* (
             Message::*mutable_violations)(),
         Detail& detail, size_t room) {
  Message message;
  if (!message.ParseFromString(detail.bytes)) return 0;
  auto& violations = *(message.*mutable_violations)();
  int dropped = 0;
  while (!violations.empty() && message.ByteSizeLong() > room) {
    violations.RemoveLast();
    ++dropped;
  }
  detail.bytes = message.SerializeAsString();
  return dropped;
}

// Of the details that are lists of violations.
int Shrink(Detail& detail, size_t room) {
  if (detail.bytes.size() <= room) return 0;
  if (detail.url == kBadRequestUrl) {
    return Drop(&google::rpc::BadRequest::mutable_field_violations, detail,
                room);
  }
  if (detail.url == kPreconditionFailureUrl) {
    return Drop(&google::rpc::PreconditionFailure::mutable_violations, detail,
                room);
  }
  return 0;
}

void AddDetail(google::rpc::Status& out, std::string url, std::string bytes) {
  auto* any = out.add_details();
  any->set_type_url(std::move(url));
  any->set_value(std::move(bytes));
}

grpc::Status Build(const absl::Status& status, std::string_view domain) {
  google::rpc::Status out;
  out.set_code(static_cast<int>(status.code()));
  out.set_message(Shortened(
      std::string_view(status.message().data(), status.message().size()),
      kMessageLimit));
  google::rpc::ErrorInfo info = InfoOf(status, domain);

  constexpr size_t kOverhead = 64;  // type URLs' tags and lengths, the count
  size_t used = out.ByteSizeLong() + info.ByteSizeLong() + 2 * kOverhead;
  int omitted = 0;
  std::vector<Detail> kept;
  for (Detail& detail : OtherDetails(status)) {
    const size_t frame = detail.url.size() + kOverhead;
    const size_t room =
        used + frame < kDetailsLimit ? kDetailsLimit - used - frame : 0;
    omitted += Shrink(detail, room);
    if (detail.bytes.empty() || detail.bytes.size() > room) {
      ++omitted;
      continue;
    }
    used += frame + detail.bytes.size();
    kept.push_back(std::move(detail));
  }
  if (omitted > 0) {
    (*info.mutable_metadata())["details_omitted"] = absl::StrCat(omitted);
  }
  if (info.ByteSizeLong() > kDetailsLimit) info.clear_metadata();
  AddDetail(out, kErrorInfoUrl, info.SerializeAsString());
  for (Detail& detail : kept) {
    AddDetail(out, std::move(detail.url), std::move(detail.bytes));
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      out.message(), out.SerializeAsString());
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status, std::string_view domain,
                    std::string_view correlation_id) {
  if (status.ok()) return grpc::Status::OK;
  // The peer's has a domain, and says no more than it should.
  if (!IsServersFault(status.code()) || !InfoOf(status, "").domain().empty())
    return Build(status, domain);
  const std::string id(correlation_id);
  return Build(errors::Make(status.code(), "INTERNAL",
                            "internal error, correlation id " + id,
                            {{"correlation_id", id}}),
               domain);
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status out(static_cast<absl::StatusCode>(status.error_code()),
                   status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      out.SetPayload(any.type_url(), absl::Cord(any.value()));
    }
  }
  return out;
}

bool IsTransportFailure(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kUnavailable &&
      status.code() != absl::StatusCode::kDeadlineExceeded) {
    return false;
  }
  return !status.GetPayload(kErrorInfoUrl).has_value();
}

}  // namespace mtp::rpc
