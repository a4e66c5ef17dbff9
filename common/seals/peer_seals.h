#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/db/table.h"
#include "common/handlers/commands.h"
#include "common/handlers/hearing.h"
#include "common/reconciliation/facts.h"
#include "common/seals/seal.h"
#include "common/sync/exceptions.h"
#include "common/sync/receiver.h"
#include "common/sync/relay.h"
#include "mtp/sync/v1/sync.pb.h"

// The two sides keep each other's seals: neither can rewrite its past alone.
namespace mtp::seals {

// A seal of the peer as it was told first. What is told later does not change
// it.
struct KeptSeal {
  struct Key {
    int64_t epoch = 0;
    int64_t seal_number = 0;
    auto Columns() const { return std::tuple(epoch, seal_number); }
    auto operator<=>(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.epoch, k.seal_number);
    }
  };

  int64_t epoch = 0;
  int64_t seal_number = 0;
  int64_t last_entry_id = 0;
  int64_t entry_count = 0;
  db::Bytes previous_digest;
  db::Bytes digest;
  absl::Time sealed_at;

  Key key() const { return {epoch, seal_number}; }
  Seal AsSeal() const;
  static KeptSeal Of(const sync::v1::SealState& state);

  static constexpr db::Statement kLoad{R"(
    SELECT epoch, seal_number, last_entry_id, entry_count, previous_digest, digest, sealed_at
    FROM audit.peer_seal
    JOIN unnest($1::bigint[], $2::bigint[]) AS wanted (epoch, seal_number)
      USING (epoch, seal_number)
    ORDER BY epoch, seal_number
  )"};
  static constexpr db::Statement kInsert{R"(
    INSERT INTO audit.peer_seal (epoch, seal_number, last_entry_id, entry_count,
                                 previous_digest, digest, sealed_at)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[],
                         $5::bytea[], $6::bytea[], $7::timestamptz[])
  )"};
  static constexpr auto kLoaded = std::tuple(
      &KeptSeal::epoch, &KeptSeal::seal_number, &KeptSeal::last_entry_id,
      &KeptSeal::entry_count, &KeptSeal::previous_digest, &KeptSeal::digest,
      &KeptSeal::sealed_at);
  static constexpr auto kInserted = kLoaded;
};

// How the seals of this side are told to the other one.
sync::Relay::Route SealRoute(common::v1::Side side);

// Whose trail: `audit_trail:order`.
std::string TrailText(common::v1::Side side);

// The rule of ApplySeals, of one seal of `sender`. Keeping it is no entry in
// the trail: that would be sealed, told and kept on the other side, and so on
// without an end.
sync::v1::Verdict KeepSeal(const sync::v1::SealState& state,
                           common::v1::Side sender, handlers::Context& context,
                           const sync::Link& link,
                           db::Table<KeptSeal>& peer_seals,
                           db::Table<sync::Exception>& exceptions);

// How the seals of a side are heard.
template <typename Rows>
handlers::Hearing<Rows, sync::v1::SealState> SealHearing(
    common::v1::Side sender) {
  using State = sync::v1::SealState;
  return {
      .kind = sync::kSeal,
      .key =
          [](const State& state) {
            return std::to_string(state.seal_number());
          },
      .touch =
          [sender](const State& state, Rows& rows) {
            rows.peer_seals.Want({state.stamp().epoch(), state.seal_number()});
            rows.exceptions_of.Want(TrailText(sender));
          },
      .apply =
          [sender](const State& state, handlers::Context& context, Rows& rows) {
            return KeepSeal(state, sender, context, rows.link, rows.peer_seals,
                            rows.exceptions);
          }};
}

template <typename Rows>
void TouchApplySeals(const sync::v1::ApplySealsRequest& request, Rows& rows) {
  handlers::TouchStates(SealHearing<Rows>(request.sender().side()), request,
                        rows);
}

template <typename Rows>
absl::StatusOr<sync::v1::ApplySealsResponse> DecideApplySeals(
    const sync::v1::ApplySealsRequest& request, handlers::Context& context,
    Rows& rows) {
  return handlers::HearStates<sync::v1::ApplySealsResponse>(
      SealHearing<Rows>(request.sender().side()), request, context, rows);
}

// The seals of both sides as this side has them, for comparing.
std::vector<reconciliation::Facts> SealFacts(common::v1::Side side);

// Takes the peer's seals (ApplySeals).
template <typename Rows>
void AddPeerSeals(handlers::Commands<Rows>& commands) {
  commands.AddHearing("mtp.sync.v1.SyncService/ApplySeals",
                      TouchApplySeals<Rows>, DecideApplySeals<Rows>);
}

}  // namespace mtp::seals
