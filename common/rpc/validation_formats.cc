#include "common/rpc/validation_formats.h"

#include <cstdint>

#include "common/base/uuid.h"

namespace mtp::rpc {
namespace {

constexpr size_t kCodeLimit = 64;
constexpr size_t kCorrelationIdLimit = 128;
constexpr size_t kKindLimit = 32;

bool IsUuid(std::string_view text) {
  const auto uuid = Uuid::Parse(text);
  return uuid.has_value() && !uuid->IsNil();
}

bool IsBarcode(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return IsUuid(text);
  const std::string_view kind = text.substr(0, colon);
  if (kind.empty() || kind.size() > kKindLimit) return false;
  for (const char c : kind) {
    if (c < 'a' || c > 'z') return false;
  }
  return IsUuid(text.substr(colon + 1));
}

bool IsCode(std::string_view text) {
  if (text.empty() || text.size() > kCodeLimit) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool alphanumeric = (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool inner = c == '.' || c == '_' || c == '/' || c == '-';
    if (!alphanumeric && (!inner || i == 0)) return false;
  }
  return true;
}

bool IsCorrelationId(std::string_view text) {
  if (text.empty() || text.size() > kCorrelationIdLimit) return false;
  for (const char c : text) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

// Control characters of ASCII and of Latin 1 (0xc2 0x80 to 0xc2 0x9f), and
// the line and paragraph separators (0xe2 0x80 0xa8 and 0xa9), but for those
// in `allowed`.
bool HasControls(std::string_view text, std::string_view allowed) {
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t c = static_cast<uint8_t>(text[i]);
    if (c < 0x20 || c == 0x7f) {
      if (allowed.find(text[i]) == std::string_view::npos) return true;
    } else if (c == 0xc2 && i + 1 < text.size() &&
               static_cast<uint8_t>(text[i + 1]) < 0xa0) {
      return true;
    } else if (c == 0xe2 && allowed.empty() &&
               (text.substr(i, 3) == "\xe2\x80\xa8" ||
                text.substr(i, 3) == "\xe2\x80\xa9")) {
      return true;
    }
  }
  return false;
}

bool IsBlank(std::string_view text) {
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
    } else if (text.substr(0, 2) == "\xc2\xa0") {  // a no-break space
      text.remove_prefix(2);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

const char* FormatViolation(options::v1::Format format, std::string_view text) {
  switch (format) {
    case options::v1::FORMAT_UUID:
      return IsUuid(text) ? nullptr : "must be a UUID";
    case options::v1::FORMAT_BARCODE:
      return IsBarcode(text) ? nullptr
                             : "must be a barcode: a UUID, or kind:UUID";
    case options::v1::FORMAT_CODE:
      return IsCode(text) ? nullptr
                          : "must be a code: 1 to 64 of A-Z a-z 0-9 . _ / - "
                            "beginning with a letter or a digit";
    case options::v1::FORMAT_LINE:
      if (text.empty()) return nullptr;
      if (HasControls(text, "")) {
        return "must be one line without control characters";
      }
      return IsBlank(text) ? "must not be only white space" : nullptr;
    case options::v1::FORMAT_TEXT:
      return HasControls(text, "\n\t")
                 ? "must not hold control characters but line feed and tab"
                 : nullptr;
    case options::v1::FORMAT_CORRELATION_ID:
      return IsCorrelationId(text)
                 ? nullptr
                 : "must be 1 to 128 visible ASCII characters";
    default:
      return nullptr;
  }
}

bool IsUtf8(std::string_view bytes) {
  size_t i = 0;
  const auto continuation = [&](size_t at, uint8_t low, uint8_t high) {
    if (at >= bytes.size()) return false;
    const uint8_t c = static_cast<uint8_t>(bytes[at]);
    return c >= low && c <= high;
  };
  while (i < bytes.size()) {
    const uint8_t c = static_cast<uint8_t>(bytes[i]);
    if (c < 0x80) {
      ++i;
      continue;
    }
    size_t length = 0;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) {
      length = 2;
    } else if (c >= 0xe0 && c <= 0xef) {
      length = 3;
      if (c == 0xe0) low = 0xa0;
      if (c == 0xed) high = 0x9f;
    } else if (c >= 0xf0 && c <= 0xf4) {
      length = 4;
      if (c == 0xf0) low = 0x90;
      if (c == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (!continuation(i + 1, low, high)) return false;
    for (size_t k = 2; k < length; ++k) {
      if (!continuation(i + k, 0x80, 0xbf)) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace mtp::rpc
