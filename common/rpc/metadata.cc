#include "common/rpc/metadata.h"

#include <cstdint>
#include <random>

#include "common/base/uuid.h"
#include "common/rpc/validation_formats.h"

namespace mtp::rpc {
namespace {

bool IsLowerHex(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool IsZero(std::string_view hex) {
  return hex.find_first_not_of('0') == std::string_view::npos;
}

// Not zero, and not secret.
uint64_t RandomBits() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  uint64_t bits = 0;
  while (bits == 0) bits = engine();
  return bits;
}

void AppendHex(std::string& out, uint64_t bits) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) {
    out.push_back(kHex[bits >> shift & 0xf]);
  }
}

}  // namespace

bool IsMetadataKey(std::string_view key) {
  if (key.empty()) return false;
  for (const char c : key) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fine) return false;
  }
  return !key.ends_with("-bin") && !key.starts_with("grpc-");
}

bool IsMetadataValue(std::string_view value) {
  for (const char c : value) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

std::string TakeCorrelationId(std::string_view sent, absl::Time now) {
  if (FormatViolation(options::v1::FORMAT_CORRELATION_ID, sent) == nullptr) {
    return std::string(sent);
  }
  return Uuid::V7(now).ToString();
}

std::string ContinueTrace(std::string_view sent) {
  // 00-<32 hex trace>-<16 hex span>-<2 hex flags>
  constexpr size_t kSize = 55;
  constexpr size_t kTraceAt = 3;
  constexpr size_t kSpanAt = 36;
  constexpr size_t kFlagsAt = 53;
  const bool valid = sent.size() == kSize && sent.starts_with("00-") &&
                     sent[kSpanAt - 1] == '-' && sent[kFlagsAt - 1] == '-' &&
                     IsLowerHex(sent.substr(kTraceAt, 32)) &&
                     IsLowerHex(sent.substr(kSpanAt, 16)) &&
                     IsLowerHex(sent.substr(kFlagsAt)) &&
                     !IsZero(sent.substr(kTraceAt, 32)) &&
                     !IsZero(sent.substr(kSpanAt, 16));
  std::string own = "00-";
  own.reserve(kSize);
  if (valid) {
    own.append(sent.substr(kTraceAt, 32));
  } else {
    AppendHex(own, RandomBits());
    AppendHex(own, RandomBits());
  }
  own.push_back('-');
  AppendHex(own, RandomBits());
  own.push_back('-');
  own.append(valid ? sent.substr(kFlagsAt) : "01");
  return own;
}

}  // namespace mtp::rpc
