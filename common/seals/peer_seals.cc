#include "common/seals/peer_seals.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/handlers/exceptions.h"
#include "common/rpc/validation.h"

namespace mtp::seals {
namespace {

using common::v1::Side;
using handlers::Invalid;
using sync::v1::SealState;
using sync::v1::Verdict;

// --- telling, and comparing

constexpr std::string_view kOwn = "FROM audit.seal";
constexpr std::string_view kKept = "FROM audit.peer_seal";
// The key, then the epoch; a seal's own is in its row.
constexpr std::string_view kListed = R"(
  seal_number, epoch AS of_epoch, last_entry_id, entry_count, previous_digest, digest,
  timestamptz_send(sealed_at)
)";

std::string_view SelectAll(std::string_view from) {
  return db::Compose(
             {"SELECT seal_number::text AS key, epoch, ", kListed, from})
      .sql;
}

// Found by the number itself, which has an index.
db::Statement SelectByNumbers(std::string_view from) {
  return db::Compose({"SELECT seal_number::text AS key, epoch, ", kListed, from,
                      R"( JOIN unnest($1::text[]) AS wanted (number)
    ON seal_number = CASE WHEN number ~ '^[0-9]{1,18}$' THEN number::bigint END
  ORDER BY seal_number::text COLLATE "C", epoch)"});
}

// A seal never changes: one that the peer lacks is told again as it is.
constexpr db::Statement kTellAgain{R"(
  SELECT seal_number::text, 1::bigint
  FROM audit.seal JOIN unnest($1::text[], $2::bigint[], $3::bigint[])
    AS told (key, seen, beyond) ON seal_number = key::bigint
)"};

template <Side kSide>
SealState ReadState(const db::Row& row) {
  std::string key;
  int64_t epoch = 0;
  Seal seal;
  db::Bytes previous_digest;
  db::Bytes digest;
  db::Bytes sealed_at;
  row.Into(key, epoch, seal.seal_number, seal.epoch, seal.last_entry_id,
           seal.entry_count, previous_digest, digest, sealed_at);
  seal.previous_digest = std::move(previous_digest.value);
  seal.digest = std::move(digest.value);
  seal.sealed_at = db::ReadBigEndian<int64_t>(sealed_at.value);
  return ToState(seal, kSide);
}

template <Side kOwner>
reconciliation::Facts SealsOf(bool own) {
  const std::string_view from = own ? kOwn : kKept;
  return {.kind = sync::v1::ENTITY_KIND_SEAL,
          .owner = kOwner,
          .read = reconciliation::ReadAs<&sync::v1::State::mutable_seal,
                                         ReadState<kOwner>>,
          .by_keys = SelectByNumbers(from),
          .page = reconciliation::SelectPage(SelectAll(from)),
          .greatest = db::Compose({"SELECT (count(*) > 0)::integer::bigint, "
                                   "coalesce(max(seal_number), 0) ",
                                   from}),
          .raise = kTellAgain};
}

// --- taking

std::optional<Verdict> JudgeForm(const SealState& state, Side sender,
                                 absl::Time now) {
  static const auto* validator = new rpc::Validator(SealState::descriptor());
  if (absl::Status status = validator->Check(state, now); !status.ok()) {
    return Invalid(std::string(status.message()));
  }
  if (state.stamp().epoch() < 1 || state.stamp().version() != 1) {
    return Invalid("stamp.epoch must be at least 1 and stamp.version 1");
  }
  if (state.side() != sender) return Invalid("side must be the sender's");
  if (state.seal_number() < 1 || state.last_entry_number() < 1 ||
      state.entry_count() < 0) {
    return Invalid(
        "seal_number and last_entry_number must be at least 1, entry_count 0");
  }
  if (state.digest().size() != kDigestBytes ||
      state.previous_digest().size() != kDigestBytes) {
    return Invalid("digest and previous_digest must have 32 bytes");
  }
  if (!state.has_sealed_at()) return Invalid("sealed_at is missing");
  return std::nullopt;
}

std::string PlaceOf(Side side) {
  return side == common::v1::SIDE_ORDER ? "Grandpass" : "Seeduwa";
}

std::string NameOf(Side side) {
  return side == common::v1::SIDE_ORDER ? "order" : "processing";
}

// One for all seals of an epoch: what rewrote one rewrote those after it.
void OpenSealDiffers(const SealState& state, const KeptSeal& kept,
                     handlers::Context& context,
                     db::Table<sync::Exception>& exceptions) {
  handlers::OpenOnce(
      {.kind = ops::v1::EXCEPTION_KIND_SEAL_DIFFERS,
       .things = {sync::ThingText("seal", absl::StrCat(state.seal_number())),
                  TrailText(state.side())},
       .description = absl::StrCat(
           "Of its audit seal ", state.seal_number(), ", made at ",
           absl::FormatTime("%Y-%m-%d %H:%M:%S", kept.sealed_at,
                            absl::UTCTimeZone()),
           " UTC, ", PlaceOf(state.side()),
           " now says something else than it first told here: entries of its "
           "audit trail were altered, or its database was restored and nobody "
           "said so. Run `mtpctl audit verify --side ",
           NameOf(state.side()), "`."),
       .must_act = options::v1::ROLE_MASTER_ADMIN,
       .acting_side = state.side(),
       .dedupe_key = absl::StrCat("SEAL_DIFFERS epoch:", state.stamp().epoch()),
       .correlation_id = context.correlation_id()},
      context, exceptions);
}

}  // namespace

Seal KeptSeal::AsSeal() const {
  return {.seal_number = seal_number,
          .epoch = epoch,
          .last_entry_id = last_entry_id,
          .entry_count = entry_count,
          .previous_digest = previous_digest.value,
          .digest = digest.value,
          .sealed_at = DatabaseTime(sealed_at)};
}

KeptSeal KeptSeal::Of(const SealState& state) {
  return {.epoch = state.stamp().epoch(),
          .seal_number = state.seal_number(),
          .last_entry_id = state.last_entry_number(),
          .entry_count = state.entry_count(),
          .previous_digest = {state.previous_digest()},
          .digest = {state.digest()},
          .sealed_at = FromProto(state.sealed_at())};
}

sync::Relay::Route SealRoute(Side side) {
  return sync::MakeRoute<sync::v1::ApplySealsRequest,
                         sync::v1::ApplySealsResponse, SealState>(
      sync::kSeal, "mtp.sync.v1.SyncService/ApplySeals", SelectByNumbers(kOwn),
      side == common::v1::SIDE_ORDER ? ReadState<common::v1::SIDE_ORDER>
                                     : ReadState<common::v1::SIDE_PROCESSING>);
}

std::string TrailText(Side side) {
  return sync::ThingText("audit_trail", NameOf(side));
}

Verdict KeepSeal(const SealState& state, Side sender,
                 handlers::Context& context, const sync::Link& link,
                 db::Table<KeptSeal>& peer_seals,
                 db::Table<sync::Exception>& exceptions) {
  if (auto invalid = JudgeForm(state, sender, context.now());
      invalid.has_value()) {
    return *std::move(invalid);
  }
  const KeptSeal* kept =
      peer_seals.Find({state.stamp().epoch(), state.seal_number()});
  if (kept == nullptr) {
    peer_seals.Insert(KeptSeal::Of(state));
    return sync::Applied();
  }
  if (kept->AsSeal() == FromState(state)) return sync::Stale();
  const std::string key = absl::StrCat(state.seal_number());
  // What is offered again while its letter is open is nothing new: a person who
  // closed the exception is not asked again.
  if (!link.Buried(sync::kSeal, key, state.stamp()))
    OpenSealDiffers(state, *kept, context, exceptions);
  return sync::Poison(
      "SEAL_DIFFERS",
      absl::StrCat("seal ", key, " was told before, and differently"));
}

std::vector<reconciliation::Facts> SealFacts(Side side) {
  const bool order = side == common::v1::SIDE_ORDER;
  return {SealsOf<common::v1::SIDE_ORDER>(order),
          SealsOf<common::v1::SIDE_PROCESSING>(!order)};
}

}  // namespace mtp::seals
