#include "common/seals/peer_seals.h"

#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"
#include "common/rpc/validation.h"

namespace mtp::seals {
namespace {

using common::v1::Side;
using sync::v1::SealState;
using sync::v1::Verdict;

// --- telling

const db::Statement kFetch = db::Compose({"SELECT wanted.key, ", kSealColumns,
                                          R"(
  FROM unnest($1::text[]) AS wanted (key)
  JOIN audit.seal ON seal_number = wanted.key::bigint
)"});

Seal ReadFetched(const db::Row& row) {
  std::string key;
  Seal seal;
  db::Bytes previous_digest;
  db::Bytes digest;
  db::Bytes sealed_at;
  row.Into(key, seal.seal_number, seal.epoch, seal.last_entry_id,
           seal.entry_count, previous_digest, digest, sealed_at);
  seal.previous_digest = std::move(previous_digest.value);
  seal.digest = std::move(digest.value);
  seal.sealed_at = db::ReadBigEndian<int64_t>(sealed_at.value);
  return seal;
}

template <Side kSide>
SealState ReadState(const db::Row& row) {
  return ToState(ReadFetched(row), kSide);
}

// --- taking

Verdict Invalid(std::string_view message) {
  return sync::Poison("INVALID_STATE", message);
}

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
  sync::Exception exception{
      .kind = ops::v1::EXCEPTION_KIND_SEAL_DIFFERS,
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
      .dedupe_key = absl::StrCat("SEAL_DIFFERS epoch:", state.stamp().epoch())};
  for (const sync::Exception* open : exceptions.All()) {
    if (!open->closed_at && open->dedupe_key == exception.dedupe_key) return;
  }
  exception.exception_id = context.NewId();
  exception.opened_at = context.now();
  exception.correlation_id = context.correlation_id();
  context.Audit("exception", exception.exception_id.ToString(), "opened",
                {{"kind", std::string(db::EnumText(exception.kind))},
                 {"thing", exception.things.front()}});
  exceptions.Insert(std::move(exception));
}

// --- showing

// The bucket of a key, as the contract says.
constexpr std::string_view kOfBucket = R"(
  AND ($4::bigint = 0 OR (
    (get_byte(sha256(convert_to(seal_number::text, 'UTF8')), 0)::bigint << 24)
    | (get_byte(sha256(convert_to(seal_number::text, 'UTF8')), 1)::bigint << 16)
    | (get_byte(sha256(convert_to(seal_number::text, 'UTF8')), 2)::bigint << 8)
    | get_byte(sha256(convert_to(seal_number::text, 'UTF8')), 3)::bigint
  ) % greatest($4::bigint, 1) = $5::bigint)
  ORDER BY seal_number::text, epoch
  LIMIT $6::bigint
)";
constexpr std::string_view kOwn = " FROM audit.seal ";
constexpr std::string_view kKept = " FROM audit.peer_seal ";
constexpr std::string_view kAll = R"(
  WHERE $1::bigint[] IS NOT NULL
    AND (seal_number::text, epoch) > ($2::text, $3::bigint)
)";
constexpr std::string_view kThese = R"(
  WHERE seal_number = ANY ($1::bigint[])
    AND (seal_number::text, epoch) > ($2::text, $3::bigint)
)";
const db::Statement kListOwn =
    db::Compose({"SELECT ", kSealColumns, kOwn, kAll, kOfBucket});
const db::Statement kListOwnThese =
    db::Compose({"SELECT ", kSealColumns, kOwn, kThese, kOfBucket});
const db::Statement kListKept =
    db::Compose({"SELECT ", kSealColumns, kKept, kAll, kOfBucket});
const db::Statement kListKeptThese =
    db::Compose({"SELECT ", kSealColumns, kKept, kThese, kOfBucket});

constexpr db::Statement kReceipt{
    "SELECT own_epoch, peer_epoch, now() FROM sync.epoch"};

absl::Status AskListStates(const sync::v1::ListStatesRequest& request,
                           db::Exchange& exchange) {
  if (request.kind() != sync::v1::ENTITY_KIND_SEAL) {
    return errors::Make(absl::StatusCode::kUnimplemented, "NOT_IN_THIS_RELEASE",
                        "this release lists seals alone");
  }
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   handlers::PageKeys(request, 2));
  int64_t after_epoch = 0;
  if (!after.empty() && !absl::SimpleAtoi(after[1], &after_epoch))
    return handlers::PageTokenInvalid();
  after.resize(2);
  std::vector<int64_t> numbers;
  for (const std::string& key : request.keys()) {
    int64_t number = 0;
    if (absl::SimpleAtoi(key, &number)) numbers.push_back(number);
  }
  const bool own = request.owner() != request.sender().side();
  const bool all = request.keys().empty();
  exchange.Add(kReceipt);
  exchange.Add(own ? (all ? kListOwn : kListOwnThese)
                   : (all ? kListKept : kListKeptThese),
               db::Params()
                   .Array(numbers)
                   .Add(after[0])
                   .Add(after_epoch)
                   .Add(request.bucket_count())
                   .Add(request.bucket())
                   .Add(handlers::PageSize(request.page_size()) + 1));
  return absl::OkStatus();
}

absl::StatusOr<sync::v1::ListStatesResponse> AnswerListStates(
    const sync::v1::ListStatesRequest& request, const db::Results& results) {
  sync::v1::ListStatesResponse response;
  int64_t own_epoch = 0;
  int64_t peer_epoch = 0;
  absl::Time now;
  results[0][0].Into(own_epoch, peer_epoch, now);
  response.mutable_receipt()->set_receiver_epoch(own_epoch);
  response.mutable_receipt()->set_sender_epoch(peer_epoch);
  *response.mutable_receipt()->mutable_received_at() = ToProto(now);
  for (const db::Row row : results[1]) {
    if (response.states_size() == handlers::PageSize(request.page_size())) {
      const SealState& last =
          response.states(response.states_size() - 1).seal();
      response.set_next_page_token(handlers::NextPageToken(
          request, {absl::StrCat(last.seal_number()),
                    absl::StrCat(last.stamp().epoch())}));
      break;
    }
    *response.add_states()->mutable_seal() =
        ToState(ReadSeal(row), request.owner());
  }
  return response;
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
      sync::kSeal, "mtp.sync.v1.SyncService/ApplySeals", kFetch,
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

void AddListStates(handlers::Queries& queries) {
  queries.Add("mtp.sync.v1.SyncService/ListStates", AskListStates,
              AnswerListStates);
}

}  // namespace mtp::seals
