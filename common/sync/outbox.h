#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/db/connection.h"

// The marks in sync.outbox: for every entity whose state the peer has not
// confirmed yet, one row with the version it should get to know.
namespace mtp::sync {

// The kinds of state that cross the link.
inline constexpr std::string_view kShipment = "shipment";
inline constexpr std::string_view kSchedule = "schedule";
inline constexpr std::string_view kRevocation = "revocation";
inline constexpr std::string_view kShipmentProgress = "shipment_progress";
inline constexpr std::string_view kScheduleProgress = "schedule_progress";
inline constexpr std::string_view kSeal = "seal";

struct Mark {
  std::string kind;
  std::string key;
  int64_t version = 0;
  std::string correlation_id;
};

// Changes that somebody waits for: of one thing, or of many whose keys differ
// in their first number only, which ascends.
struct Awaited {
  std::string kind;
  std::string key;    // of one; of a run what follows the number, as `/1`
  int64_t first = 0;  // 0: it is no run
  int64_t last = 0;
  int64_t version = 0;

  bool run() const { return first > 0; }
};

// Adds the statement that marks the entities, one row for each however often
// it is named, in the transaction that changed them.
void AddMarks(const std::vector<Mark>& marks, db::Exchange& exchange);

// What a client hands to WaitForSync to wait until the peer knows one change.
// Opaque: it may change without notice.
std::string SyncToken(std::string_view kind, std::string_view key,
                      int64_t version);
// The same for the first version of shipments 1 of requests with these codes,
// ascending: as short as there are gaps between them, however many they are.
std::string SyncTokenOfNewRequests(std::span<const int64_t> request_codes);
// One token for several changes.
std::string JoinSyncTokens(const std::vector<std::string>& tokens);
// The changes of a token: as many as its text has parts, however many things
// those are of. INVALID_ARGUMENT (SYNC_TOKEN_INVALID) for what this platform
// never gave.
absl::StatusOr<std::vector<Awaited>> ParseSyncToken(std::string_view token);

}  // namespace mtp::sync
