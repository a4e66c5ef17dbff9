#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

// The keys in page tokens (common/handlers/paging.h) that are no texts.
namespace mtp::order {

inline std::string PageKey(int64_t number) { return std::to_string(number); }
std::string PageKey(absl::Time time);
std::string PageKey(absl::CivilDay day);

// PAGE_TOKEN_INVALID when the text is none that PageKey made.
absl::Status ReadPageKey(const std::string& text, int64_t& number);
absl::Status ReadPageKey(const std::string& text, absl::Time& time);
absl::Status ReadPageKey(const std::string& text, absl::CivilDay& day);

}  // namespace mtp::order
