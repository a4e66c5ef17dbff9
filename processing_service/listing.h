#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "common/db/result.h"
#include "common/db/table.h"
#include "common/handlers/paging.h"
#include "google/protobuf/message.h"

// What the queries of the resources have in common.
namespace mtp::processing {

// A row of a query that selects the columns of a row type, and nothing else.
template <db::TableRow T>
T Read(const db::Row& row) {
  T read;
  std::apply([&](auto... member) { row.Into(read.*member...); }, T::kLoaded);
  return read;
}

template <db::TableRow T>
std::vector<T> ReadAll(const db::Result& result) {
  std::vector<T> rows;
  rows.reserve(static_cast<size_t>(result.size()));
  for (const db::Row row : result) rows.push_back(Read<T>(row));
  return rows;
}

// The place in a list behind which a page begins: the value that the list is
// ordered by, as text, the id that tells equal ones apart and, where the id
// comes more than once, a number besides. Empty (NULL) on the first page.
struct Position {
  std::optional<std::string> value;
  std::optional<Uuid> id;
  std::optional<int64_t> number;
};
enum class OrderedBy { kText, kTime, kNumber };
enum class Keyed { kById, kByIdAndNumber };

// A time as a Position has it: `2026-11-23T08:00:00.123456Z`.
std::string TimeText(absl::Time time);
// The time of such a text. INVALID_ARGUMENT (PAGE_TOKEN_INVALID).
absl::StatusOr<absl::Time> ParseTimeText(const std::string& text);

// Where the request's page begins. INVALID_ARGUMENT (PAGE_TOKEN_INVALID).
absl::StatusOr<Position> PagePosition(const google::protobuf::Message& request,
                                      OrderedBy ordered_by,
                                      Keyed keyed = Keyed::kById);

// The rows to ask the database for: one more than a page has, which tells
// whether anything follows.
template <typename Request>
int64_t RowLimit(const Request& request) {
  return handlers::PageSize(request.page_size()) + 1;
}

// Cuts what was asked for by RowLimit to a page; false when nothing follows it.
template <typename Request, typename T>
bool CutRows(const Request& request, std::vector<T>& rows) {
  const auto size =
      static_cast<size_t>(handlers::PageSize(request.page_size()));
  if (rows.size() <= size) return false;
  rows.resize(size);
  return true;
}

// The same, and the token of the page after it, empty when nothing follows.
// `value_of` gives what the list is ordered by, as text; the rows' keys are
// ids.
template <typename Request, typename T, typename ValueOf>
std::string CutToPage(const Request& request, std::vector<T>& rows,
                      ValueOf value_of) {
  if (!CutRows(request, rows)) return "";
  return handlers::NextPageToken(
      request, {value_of(rows.back()), rows.back().key().ToString()});
}

// A time that a request may leave open.
template <typename Timestamp>
std::optional<absl::Time> TimeIf(bool given, const Timestamp& timestamp) {
  if (!given) return std::nullopt;
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

}  // namespace mtp::processing
