#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/db/working_set.h"
#include "mtp/sync/v1/states.pb.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::sync {

// Whether a state is newer than what is kept of the same thing.
inline bool IsNewer(const v1::Stamp& stamp, int64_t kept_epoch,
                    int64_t kept_version) {
  return stamp.epoch() > kept_epoch ||
         (stamp.epoch() == kept_epoch && stamp.version() > kept_version);
}

v1::Verdict Applied();
v1::Verdict Stale();
v1::Verdict Poison(std::string_view reason, std::string_view message);

// The receiving end of the link within a working set: the epochs of both sides
// and the dead letters of a batch.
class Link : public db::Member {
 public:
  explicit Link(db::WorkingSet& set) : Member(set) {}

  // The calls of this batch come from the peer: load the epochs.
  void Want() { wanted_ = true; }

  // Looks at who sends: remembers that it was heard, and a new epoch of it.
  // With a refusal in the receipt none of the states may be applied.
  v1::Receipt Receive(const v1::Sender& sender, absl::Time now);

  // Keeps a state that cannot be applied, instead of what was kept of the same
  // thing before. `state` is the message as it came.
  void Bury(std::string_view kind, std::string key, const v1::Stamp& stamp,
            const google::protobuf::Message& state, const v1::Verdict& verdict);
  // A state of the thing was applied: what was buried is settled.
  void Unbury(std::string_view kind, std::string key);

  void AddLoads(db::Exchange& exchange) override;
  void TakeLoads(const db::Results& results, size_t& next) override;
  void AddStores(db::Exchange& exchange) override;
  void Keep() override;
  void Undo() override;
  void Clear() override;

 private:
  struct DeadLetter {
    std::string kind;
    std::string key;
    int64_t version = 0;
    int64_t epoch = 0;
    std::string state;
    std::string reason;
    std::string message;
    std::string correlation_ids;
  };
  struct Changes {
    int64_t peer_epoch = 0;
    bool heard = false;
    std::vector<DeadLetter> buried;
    std::vector<std::pair<std::string, std::string>> unburied;
  };

  bool wanted_ = false;
  int64_t own_epoch_ = 0;
  bool halted_ = false;
  bool any_dead_letter_ = false;
  Changes kept_;
  Changes now_;
};

}  // namespace mtp::sync
