#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/db/table.h"
#include "common/db/working_set.h"
#include "common/sync/dead_letters.h"
#include "common/sync/link_state.h"
#include "mtp/sync/v1/states.pb.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::sync {

// Whether a state is newer than what is kept of the same thing (a letter, a
// copy); of copies see Link::IsNewer.
inline bool IsNewer(const v1::Stamp& stamp, int64_t kept_epoch,
                    int64_t kept_version) {
  return stamp.epoch() > kept_epoch ||
         (stamp.epoch() == kept_epoch && stamp.version() > kept_version);
}

v1::Verdict Applied();
v1::Verdict Stale();
v1::Verdict Poison(std::string_view reason, std::string_view message);

// After a restore of either side: has all shared facts compared from the
// beginning, whatever is being compared now.
void AskToCompareAll(db::Exchange& exchange, absl::Time now);

// The peer of this epoch is not heard any more until its epoch is raised.
void HaltPeer(int64_t epoch, const std::string& reason, db::Exchange& exchange);
// Why, when the number of a transaction shows it.
std::string FellBackReason(const v1::Sender& sender, const LinkState& link);

// The receiving end of the link within a working set: the epochs of both sides
// and what became of the peer's states.
class Link : public db::Member {
 public:
  // `letters` outlives it. Letters are declared, and so locked, before all
  // else; the link behind all else: what it reads is what holds for the locked
  // rows.
  Link(db::WorkingSet& set, db::Table<DeadLetter>& letters)
      : Member(set), letters_(letters) {}

  // The calls of this batch come from the peer: load the epochs.
  void Want() { wanted_ = true; }
  // A state of this thing is to be judged: load its letter.
  void Want(std::string_view kind, std::string key) {
    letters_.Want({std::string(kind), std::move(key)});
  }

  // Looks at who sends: remembers that it was heard, and a new epoch of it.
  // With a refusal in the receipt none of the states may be applied. A sender
  // whose database fell back is not heard any more until its epoch is raised.
  v1::Receipt Receive(const v1::Sender& sender, absl::Time now);
  // The same refusal for what a state of the sender gave away.
  v1::Receipt Halt(const v1::Sender& sender, absl::Time now,
                   std::string reason);

  // Whether a state is newer than the copy that is kept. A copy of an epoch
  // that its owner has not begun was altered by hand: everything is newer.
  bool IsNewer(const v1::Stamp& stamp, int64_t kept_epoch,
               int64_t kept_version) const;

  // While this side takes back what it lost, it hears only what it heard
  // before.
  bool recovering() const { return now_.link.recovering; }

  int64_t own_epoch() const { return now_.link.own_epoch; }
  // This side's database was restored: raises its epoch, and has it take back
  // what it lost. Want() must have been called.
  void StartEpoch();

  // An operator gave up what bears this stamp, or something newer: it counts as
  // confirmed, whatever it says.
  bool Dropped(std::string_view kind, const std::string& key,
               const v1::Stamp& stamp) const;
  // Just this, or something newer, waits for an operator already.
  bool Buried(std::string_view kind, const std::string& key,
              const v1::Stamp& stamp) const;
  // What the rule said of a state: POISON keeps it as a letter, instead of what
  // was kept of the same thing before; APPLIED settles the letter that is not
  // newer. `state` is the message as it came.
  void Judged(std::string_view kind, const std::string& key,
              const v1::Stamp& stamp, const google::protobuf::Message& state,
              const v1::Verdict& verdict, absl::Time now);

  void AddLoads(db::Exchange& exchange) override;
  void TakeLoads(const db::Results& results, size_t& next) override;
  void AddStores(db::Exchange& exchange) override;
  void Keep() override;
  void Undo() override;
  void Clear() override;

 private:
  struct Changes {
    LinkState link;
    bool heard = false;
    bool peer_restored = false;
    bool epoch_started = false;
    std::string halted_reason;  // newly
  };

  const DeadLetter* LetterOf(std::string_view kind,
                             const std::string& key) const {
    return letters_.Find({std::string(kind), key});
  }

  db::Table<DeadLetter>& letters_;
  bool wanted_ = false;
  Changes kept_;
  Changes now_;
};

}  // namespace mtp::sync
