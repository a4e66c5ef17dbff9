#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/db/connection.h"
#include "common/sync/kinds.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/sync/v1/states.pb.h"

// The shared facts of the two sides, as they stand in this side's tables: its
// own, and its copies of the peer's. Both are told in the same form, so that
// they can be compared.
namespace mtp::reconciliation {

// All facts of one kind that one side owns. Rows begin with the key and the
// epoch of the stamp (0: this side's own, as it is now), and come in bytewise
// order of the keys.
struct Facts {
  sync::v1::EntityKind kind = sync::v1::ENTITY_KIND_UNSPECIFIED;
  common::v1::Side owner = common::v1::SIDE_UNSPECIFIED;
  // The fact in a row, stamped.
  sync::v1::State (*read)(const db::Row&) = nullptr;
  // Those with one of the keys $1 (text[]).
  db::Statement by_keys{nullptr};
  // A page of those in some buckets: behind key $1 (text) of epoch $2, of
  // bucket_count $3 (0: all) the buckets $4 (bigint[]), at most $5.
  db::Statement page{nullptr};
  // One row: the greatest version, and the greatest code given; 0: none.
  db::Statement greatest{nullptr};
  // Own ones: raises the versions of keys $1 (text[]) that still have version
  // $2 (bigint[]), beyond $3 (bigint[]); returns key and version. Seals, which
  // never change, return their version as it is.
  db::Statement raise{nullptr};
};

// Behind a statement that finds facts by `wanted (key)`.
inline constexpr std::string_view kInOrderOfKeys = R"(
  ORDER BY wanted.key COLLATE "C")";

// Statements over the same facts, `select` being a query for all of them whose
// first columns are named key and epoch.
db::Statement SelectPage(std::string_view select);
db::Statement SelectByKeys(std::string_view select);
// Facts::raise of a table with version and changed_at: nothing has happened, so
// that moves by a microsecond only; `is_key` says which of
// its rows the text `key` is.
db::Statement Raise(std::string_view table, std::string_view is_key);

// A state of one message type as a State: `kMutable` is its field there.
template <auto kMutable, auto kRead>
sync::v1::State ReadAs(const db::Row& row) {
  sync::v1::State state;
  *(state.*kMutable)() = kRead(row);
  return state;
}

// The stamp of whatever kind of state it is.
const sync::v1::Stamp& StampOf(const sync::v1::State& state);
sync::v1::Stamp& StampOf(sync::v1::State& state);
// The key as text; 17/1.
std::string KeyOf(const sync::v1::State& state);

// What of a state is digested: what it says, or that and the version and time
// by which its place in time is judged.
enum class Digested { kContent, kVersioned };

// SHA-256 of the canonical form of a state's content (states.proto).
std::string ContentDigest(const sync::v1::State& state);
std::string VersionedDigest(const sync::v1::State& state);
// Which bucket of so many a key belongs to.
int64_t BucketOf(std::string_view key, int64_t bucket_count);

// Digests the states of one bucket; they come in bytewise order of their keys.
class BucketDigester {
 public:
  explicit BucketDigester(Digested digested = Digested::kContent)
      : digested_(digested) {}

  void Add(const sync::v1::State& state);
  int64_t state_count() const { return state_count_; }
  std::string Finish() const;

 private:
  Digested digested_;
  std::string digests_;
  int64_t state_count_ = 0;
};

// The facts of that kind and owner; nullptr where this side has none such.
const Facts* Find(const std::vector<Facts>& all, sync::v1::EntityKind kind,
                  common::v1::Side owner);

}  // namespace mtp::reconciliation
