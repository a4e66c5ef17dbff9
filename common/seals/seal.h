#pragma once

#include <sodium.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/connection.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/sync/v1/states.pb.h"

// The hash chain over the audit trail: each seal digests the entries after the
// last of the seal before, and that seal's digest. docs/audit.md says the same
// for auditors, who recompute it without this code.
namespace mtp::seals {

inline constexpr size_t kDigestBytes = 32;

// Every column of audit.entry.
struct Entry {
  int64_t entry_id = 0;
  // As the database keeps them: microseconds since 2000-01-01 UTC.
  int64_t occurred_at = 0;
  int64_t recorded_at = 0;
  std::string caller;
  std::string username;
  std::string role;
  std::string method;
  std::string request_id;  // in lower case; empty if it is NULL
  std::string correlation_id;
  std::string remote_address;
  std::string remarks;
  std::string entity_kind;
  std::string entity_key;
  std::string action;
  std::string change;  // as jsonb is written
};

// The bytes that stand for an entry: numbers and times as 8 bytes, big end
// first, then each text as the count of its bytes in 4, and its UTF-8.
std::string Encoding(const Entry& entry);
// SHA-256 of these.
std::string EntryDigest(const Entry& entry);

// A row of audit.seal or audit.peer_seal.
struct Seal {
  int64_t seal_number = 0;
  int64_t epoch = 0;
  int64_t last_entry_id = 0;
  int64_t entry_count = 0;
  std::string previous_digest;
  std::string digest;
  int64_t sealed_at = 0;  // as in Entry

  bool operator==(const Seal&) const = default;
};

// What a select of seals reads, in this order.
inline constexpr std::string_view kSealColumns = R"(
  seal_number, epoch, last_entry_id, entry_count, previous_digest, digest,
  timestamptz_send(sealed_at)
)";
Seal ReadSeal(const db::Row& row);

// The chain begins with 32 zero bytes.
std::string FirstPreviousDigest();

// Digests a seal, entry by entry: SHA-256 over the digest of the seal before,
// those of the entries in the order of their ids, and then the seal's number,
// epoch, last entry, count and time, 8 bytes each.
class SealDigest {
 public:
  explicit SealDigest(std::string_view previous_digest);
  void Add(const Entry& entry);
  int64_t entry_count() const { return entry_count_; }
  int64_t last_entry_id() const { return last_entry_id_; }
  // Of a seal with these other values. Ends this digest.
  std::string Finish(const Seal& seal);

 private:
  crypto_hash_sha256_state state_;
  int64_t entry_count_ = 0;
  int64_t last_entry_id_ = 0;
};

// Where the entries of a seal lie. The first seal has all up to its last.
struct Stretch {
  int64_t first_entry_id = std::numeric_limits<int64_t>::min();
  int64_t last_entry_id = 0;
};

// Reads the entries of a stretch in order into `digest`, page by page, at most
// `limit` of them. CANCELLED if `stop` says so between two pages.
absl::Status AddEntries(db::Connection& connection, const Stretch& stretch,
                        int64_t limit, const std::function<bool()>& stop,
                        SealDigest& digest);

// The moment that the database calls so; nothing for one outside of the years
// that the contract can tell.
std::optional<absl::Time> TimeOf(int64_t database_time);
int64_t DatabaseTime(absl::Time time);

// A seal as the two sides tell it.
sync::v1::SealState ToState(const Seal& seal, common::v1::Side side);
// The state must have a time.
Seal FromState(const sync::v1::SealState& state);

}  // namespace mtp::seals
