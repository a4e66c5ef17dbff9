#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"

// The memory of what was done: sync.idempotency_key holds, per caller, method
// and request_id, the digest of the request and the reply it got. It is
// written once, in the transaction of the effect itself.
namespace mtp::sync {

struct IdempotencyKey {
  Uuid request_id;
  std::string caller;
  std::string method;

  auto operator<=>(const IdempotencyKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const IdempotencyKey& k) {
    return H::combine(std::move(h), k.request_id, k.caller, k.method);
  }
};

// What was done under a key.
struct Done {
  IdempotencyKey key;
  std::string content_digest;
  std::string reply;
};

// The constraint a second transaction with the same key runs into.
inline constexpr std::string_view kIdempotencyConstraint =
    "idempotency_key_is_unique";

// A digest of the request's bytes as they were sent.
std::string ContentDigest(std::string_view request);

// Adds the statement that asks which of the keys are done, and reads its rows.
void AddProbe(const std::vector<IdempotencyKey>& keys, db::Exchange& exchange);
absl::flat_hash_map<IdempotencyKey, Done> TakeProbe(const db::Result& result);

// Adds the statement that remembers what was done.
void AddKeys(const std::vector<Done>& done, db::Exchange& exchange);

// Removes up to `limit` keys older than `age` (as seconds before the
// database's now); tells how many went. To be called until none does.
db::Statement PurgeStatement();
db::Params PurgeParams(int64_t age_seconds, int64_t limit);

}  // namespace mtp::sync
