#include "common/sync/outbox.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/errors.h"

namespace mtp::sync {
namespace {

// Enough to find the cause of a change; a hot entity would otherwise gather
// every call of an outage.
constexpr size_t kCorrelationIdsKept = 8;

// Ordered by key like every lock. A mark that waits keeps its `since`: that is
// how long the peer has been behind.
constexpr db::Statement kStoreMarks{R"(
  INSERT INTO sync.outbox AS mark (kind, key, version, correlation_ids)
  SELECT kind, key, version, string_to_array(correlation_ids, E'\n')
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
    AS fresh (kind, key, version, correlation_ids)
  ORDER BY kind, key
  ON CONFLICT (kind, key) DO UPDATE SET
    version = greatest(mark.version, excluded.version),
    correlation_ids = (excluded.correlation_ids || mark.correlation_ids)[1:8],
    next_attempt_at = least(mark.next_attempt_at, now())
)"};

// As many changes as one call can make; a token names no more.
constexpr int64_t kTokenLimit = 100'000;

// Between the first and the last request of a run, and behind them.
constexpr char kRun = ':';
constexpr std::string_view kRunRest = "/1";
constexpr size_t kLongestKey = 100;

// What PostgreSQL takes as text, whoever made it up.
bool CanBeKey(const std::string& key) {
  return key.size() <= kLongestKey &&
         std::all_of(key.begin(), key.end(),
                     [](unsigned char c) { return absl::ascii_isgraph(c); });
}

// Reads `17:20/1` into the run; false when it is none that was ever given.
bool ReadRun(Awaited& awaited) {
  const size_t colon = awaited.key.find(kRun);
  if (colon == std::string::npos) return true;
  if (awaited.kind != kShipment) return false;
  const size_t slash = awaited.key.find('/');
  if (slash == std::string::npos || slash < colon ||
      !absl::SimpleAtoi(awaited.key.substr(0, colon), &awaited.first) ||
      !absl::SimpleAtoi(awaited.key.substr(colon + 1, slash - colon - 1),
                        &awaited.last) ||
      awaited.first < 1 || awaited.last < awaited.first ||
      awaited.last - awaited.first >= kTokenLimit) {
    return false;
  }
  awaited.key.erase(0, slash);
  return awaited.key == kRunRest;
}

struct Merged {
  std::string kind;
  std::string key;
  int64_t version = 0;
  std::vector<std::string> correlation_ids;
  std::string JoinedCorrelationIds() const {
    return absl::StrJoin(correlation_ids, "\n");
  }
};

}  // namespace

void AddMarks(const std::vector<Mark>& marks, db::Exchange& exchange) {
  if (marks.empty()) return;
  std::map<std::pair<std::string_view, std::string_view>, Merged> by_entity;
  // Newest first, as the table keeps them.
  for (auto at = marks.rbegin(); at != marks.rend(); ++at) {
    const Mark& mark = *at;
    Merged& merged = by_entity[{mark.kind, mark.key}];
    merged.kind = mark.kind;
    merged.key = mark.key;
    merged.version = std::max(merged.version, mark.version);
    if (merged.correlation_ids.size() < kCorrelationIdsKept) {
      merged.correlation_ids.push_back(mark.correlation_id);
    }
  }
  std::vector<Merged> rows;
  rows.reserve(by_entity.size());
  for (auto& [entity, merged] : by_entity) rows.push_back(std::move(merged));
  exchange.Add(kStoreMarks, db::Params()
                                .Array(rows, &Merged::kind)
                                .Array(rows, &Merged::key)
                                .Array(rows, &Merged::version)
                                .Array(rows, &Merged::JoinedCorrelationIds));
}

std::string SyncToken(std::string_view kind, std::string_view key,
                      int64_t version) {
  return absl::WebSafeBase64Escape(
      absl::StrCat(absl::string_view(kind.data(), kind.size()), "\n",
                   absl::string_view(key.data(), key.size()), "\n", version));
}

std::string SyncTokenOfNewRequests(std::span<const int64_t> request_codes) {
  std::vector<std::string> runs;
  for (size_t first = 0, next = 0; first < request_codes.size(); first = next) {
    next = first + 1;
    while (next < request_codes.size() &&
           request_codes[next] == request_codes[next - 1] + 1) {
      ++next;
    }
    runs.push_back(SyncToken(
        kShipment,
        absl::StrCat(request_codes[first], ":", request_codes[next - 1], "/1"),
        1));
  }
  return JoinSyncTokens(runs);
}

std::string JoinSyncTokens(const std::vector<std::string>& tokens) {
  return absl::StrJoin(tokens, ".");
}

absl::StatusOr<std::vector<Awaited>> ParseSyncToken(std::string_view token) {
  const absl::Status invalid =
      errors::Make(absl::StatusCode::kInvalidArgument, "SYNC_TOKEN_INVALID",
                   "the sync_token is none that this service gave");
  std::vector<Awaited> all;
  int64_t things = 0;
  const std::string copy(token);
  for (const absl::string_view part :
       absl::StrSplit(copy, '.', absl::SkipEmpty())) {
    std::string text;
    if (!absl::WebSafeBase64Unescape(part, &text)) return invalid;
    const std::vector<std::string> fields = absl::StrSplit(text, '\n');
    Awaited& awaited = all.emplace_back();
    if (fields.size() != 3 || !absl::SimpleAtoi(fields[2], &awaited.version))
      return invalid;
    awaited.kind = fields[0];
    awaited.key = fields[1];
    if (!CanBeKey(awaited.key) || !ReadRun(awaited)) return invalid;
    things += awaited.last - awaited.first + 1;
    if (things > kTokenLimit) return invalid;
  }
  return all;
}

}  // namespace mtp::sync
