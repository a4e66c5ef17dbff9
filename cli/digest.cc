#include "cli/digest.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"

namespace mtp::cli {
namespace {

std::array<unsigned char, SHA256_DIGEST_LENGTH> Sha256(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> sum;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         sum.data());
  return sum;
}

}  // namespace

std::string Sha256Hex(std::string_view text) {
  const auto sum = Sha256(text);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(sum.data()), sum.size()));
}

Uuid UuidOfName(std::string_view name) {
  const auto sum = Sha256(name);
  Uuid uuid;
  std::copy_n(sum.begin(), uuid.bytes.size(), uuid.bytes.begin());
  uuid.bytes[6] = (uuid.bytes[6] & 0x0F) | 0x80;
  uuid.bytes[8] = (uuid.bytes[8] & 0x3F) | 0x80;
  return uuid;
}

}  // namespace mtp::cli
