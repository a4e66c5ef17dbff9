#include "order_service/page_keys.h"

#include "absl/strings/numbers.h"
#include "common/base/status.h"
#include "order_service/errors.h"

namespace mtp::order {

std::string PageKey(absl::Time time) {
  return PageKey(absl::ToUnixMicros(time));
}

std::string PageKey(absl::CivilDay day) { return absl::FormatCivilTime(day); }

absl::Status ReadPageKey(const std::string& text, int64_t& number) {
  return absl::SimpleAtoi(text, &number) ? absl::OkStatus()
                                         : errors::PageTokenInvalid();
}

absl::Status ReadPageKey(const std::string& text, absl::Time& time) {
  // What PostgreSQL can hold; no token of ours says otherwise.
  constexpr int64_t kLimitMicros = 253'402'300'800'000'000;
  int64_t micros = 0;
  RETURN_IF_ERROR(ReadPageKey(text, micros));
  if (micros > kLimitMicros || micros < -kLimitMicros)
    return errors::PageTokenInvalid();
  time = absl::FromUnixMicros(micros);
  return absl::OkStatus();
}

absl::Status ReadPageKey(const std::string& text, absl::CivilDay& day) {
  if (!absl::ParseCivilTime(text, &day) || day.year() < 1 ||
      day.year() > 9999) {
    return errors::PageTokenInvalid();
  }
  return absl::OkStatus();
}

}  // namespace mtp::order
