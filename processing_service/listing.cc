#include "processing_service/listing.h"

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "common/base/status.h"

namespace mtp::processing {
namespace {

constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%E6SZ";

// Whether the text is a value of the kind that the list is ordered by, so that
// the database can read it.
bool Fits(const std::string& value, OrderedBy ordered_by) {
  int64_t number = 0;
  switch (ordered_by) {
    case OrderedBy::kText:
      return true;
    case OrderedBy::kTime:
      return ParseTimeText(value).ok();
    case OrderedBy::kNumber:
      return absl::SimpleAtoi(value, &number);
  }
  return false;
}

}  // namespace

std::string TimeText(absl::Time time) {
  return absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseTimeText(const std::string& text) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(kTimeFormat, text, absl::UTCTimeZone(), &time, &error))
    return time;
  return handlers::PageTokenInvalid();
}

absl::StatusOr<Position> PagePosition(const google::protobuf::Message& request,
                                      OrderedBy ordered_by, Keyed keyed) {
  const bool numbered = keyed == Keyed::kByIdAndNumber;
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, numbered ? 3 : 2));
  if (keys.empty()) return Position{};
  Position position{.value = keys[0], .id = Uuid::Parse(keys[1])};
  if (!position.id.has_value() || !Fits(keys[0], ordered_by)) {
    return handlers::PageTokenInvalid();
  }
  if (numbered && !absl::SimpleAtoi(keys[2], &position.number.emplace())) {
    return handlers::PageTokenInvalid();
  }
  return position;
}

}  // namespace mtp::processing
