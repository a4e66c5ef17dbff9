#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/params.h"
#include "common/handlers/paging.h"
#include "common/operations/outbox_entry.h"
#include "google/protobuf/message.h"

namespace mtp::operations {

// The page of a list in the order of time, then of id.
struct TimePage {
  int64_t size = 0;
  // Of the last row shown before; nothing: the first page.
  std::optional<absl::Time> after;
  std::optional<Uuid> after_id;

  template <typename Request>
  static absl::StatusOr<TimePage> Of(const Request& request) {
    TimePage page;
    page.size = handlers::PageSize(request.page_size());
    ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                     handlers::PageKeys(request, 2));
    if (keys.empty()) return page;
    page.after_id = Uuid::Parse(keys[1]);
    if (!absl::ParseTime(absl::RFC3339_full, keys[0], &page.after.emplace(),
                         nullptr) ||
        !page.after_id.has_value()) {
      return handlers::PageTokenInvalid();
    }
    return page;
  }
  // The time and the id behind which it begins, and how many rows to read: one
  // more than are shown, which tells that there is a next page.
  void AddTo(db::Params& params) const {
    params.Add(after).Add(after_id).Add(size + 1);
  }
  static std::string Next(const google::protobuf::Message& request,
                          absl::Time time, const std::string& id) {
    return handlers::NextPageToken(
        request,
        {absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone()), id});
  }
};

// Kinds of a filter as tables have them.
template <typename Kinds>
std::vector<std::string> KindTexts(const Kinds& kinds) {
  std::vector<std::string> texts;
  for (const int kind : kinds) {
    texts.emplace_back(db::EnumText(static_cast<sync::v1::EntityKind>(kind)));
  }
  return texts;
}

}  // namespace mtp::operations
