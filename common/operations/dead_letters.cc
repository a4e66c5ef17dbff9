#include "common/operations/dead_letters.h"

#include "absl/time/time.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/handlers/paging.h"
#include "common/operations/time_page.h"
#include "common/sync/exceptions.h"
#include "common/sync/things.h"
#include "google/protobuf/util/json_util.h"

namespace mtp::operations {
namespace {

using ops::v1::DeadLetterState;
using ops::v1::GetDeadLetterRequest;
using ops::v1::GetDeadLetterResponse;
using ops::v1::ListDeadLettersRequest;
using ops::v1::ListDeadLettersResponse;
using sync::DeadLetter;

// --- reading

const db::Statement kRead =
    db::Compose({"SELECT ", sync::kDeadLetterColumns, R"(, state
  FROM sync.dead_letter WHERE dead_letter_id = $1::uuid
)"});

// A list goes without the states.
constexpr std::string_view kFilter = R"(, ''::bytea
  FROM sync.dead_letter
  WHERE (cardinality($1::text[]) = 0 OR kind = ANY ($1::text[]))
    AND ($2::text = '' OR key = $2::text)
    AND settlement = ANY ($3::text[])
    AND ($4::text = '' OR reason = $4::text)
    AND ($5::timestamptz IS NULL OR first_seen_at >= $5::timestamptz)
    AND ($6::timestamptz IS NULL OR first_seen_at < $6::timestamptz)
)";
constexpr std::string_view kLatestFirst = R"(
    AND ($7::timestamptz IS NULL
         OR (first_seen_at, dead_letter_id) < ($7::timestamptz, $8::uuid))
  ORDER BY first_seen_at DESC, dead_letter_id DESC
  LIMIT $9::bigint
)";
constexpr std::string_view kOldestFirst = R"(
    AND ($7::timestamptz IS NULL
         OR (first_seen_at, dead_letter_id) > ($7::timestamptz, $8::uuid))
  ORDER BY first_seen_at, dead_letter_id
  LIMIT $9::bigint
)";

absl::Status AskListDeadLetters(const ListDeadLettersRequest& request,
                                db::Exchange& exchange) {
  static const db::Statement kListLatestFirst =
      db::Compose({"SELECT ", sync::kDeadLetterColumns, kFilter, kLatestFirst});
  static const db::Statement kListOldestFirst =
      db::Compose({"SELECT ", sync::kDeadLetterColumns, kFilter, kOldestFirst});
  ASSIGN_OR_RETURN(const TimePage page, TimePage::Of(request));
  std::vector<std::string> states;
  for (const int state : request.states()) {
    states.emplace_back(db::EnumText(static_cast<DeadLetterState>(state)));
  }
  if (states.empty())
    states.emplace_back(db::EnumText(ops::v1::DEAD_LETTER_STATE_OPEN));
  std::optional<absl::Time> from;
  std::optional<absl::Time> before;
  if (request.has_received_from()) from = FromProto(request.received_from());
  if (request.has_received_before())
    before = FromProto(request.received_before());
  db::Params params;
  params.Array(KindTexts(request.kinds()))
      .Add(request.key())
      .Array(states)
      .Add(request.reason())
      .Add(from)
      .Add(before);
  page.AddTo(params);
  exchange.Add(request.order_by() == ops::v1::LIST_DEAD_LETTERS_ORDER_RECEIVED
                   ? kListOldestFirst
                   : kListLatestFirst,
               std::move(params));
  return absl::OkStatus();
}

absl::StatusOr<ListDeadLettersResponse> AnswerListDeadLetters(
    const ListDeadLettersRequest& request, const db::Results& results) {
  ListDeadLettersResponse response;
  for (const db::Row row : results[0]) {
    if (response.dead_letters_size() ==
        handlers::PageSize(request.page_size())) {
      const auto& last =
          response.dead_letters(response.dead_letters_size() - 1);
      response.set_next_page_token(TimePage::Next(
          request, FromProto(last.received_at()), last.dead_letter_id()));
      break;
    }
    *response.add_dead_letters() = Shown(db::Read<DeadLetter>(row));
  }
  return response;
}

// What the bytes say; empty when they are no state of the kind. State has a
// field of each kind, of its name.
std::string StateAsJson(const DeadLetter& letter) {
  namespace pb = google::protobuf;
  const pb::FieldDescriptor* field =
      sync::v1::State::descriptor()->FindFieldByName(letter.kind);
  if (field == nullptr) return "";
  const std::unique_ptr<pb::Message> state(
      pb::MessageFactory::generated_factory()
          ->GetPrototype(field->message_type())
          ->New());
  if (!state->ParseFromString(letter.state.value)) return "";
  pb::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  return pb::util::MessageToJsonString(*state, &json, options).ok() ? json : "";
}

absl::Status AskGetDeadLetter(const GetDeadLetterRequest& request,
                              db::Exchange& exchange) {
  exchange.Add(kRead, db::Params().Add(*Uuid::Parse(request.dead_letter_id())));
  return absl::OkStatus();
}

absl::StatusOr<GetDeadLetterResponse> AnswerGetDeadLetter(
    const GetDeadLetterRequest& request, const db::Results& results) {
  if (results[0].empty())
    return errors::NotFound("dead letter", request.dead_letter_id());
  const auto letter = db::Read<DeadLetter>(results[0][0]);
  GetDeadLetterResponse response;
  *response.mutable_dead_letter() = Shown(letter);
  response.set_state(letter.state.value);
  response.set_state_json(StateAsJson(letter));
  return response;
}

// --- settling

void SettledBy(const rpc::Caller& caller, DeadLetter& letter) {
  letter.settled_by = caller.subject;
  letter.settled_by_username = caller.username;
  letter.settled_by_role = caller.role;
}

void Audit(const DeadLetter& letter, std::string_view action, sync::Change more,
           handlers::Context& context) {
  sync::Change change = {
      {"kind", letter.kind},
      {"epoch", letter.epoch},
      {"version", letter.version},
      {"thing",
       sync::ThingText(sync::ThingKindOf(letter.kind), letter.state_key)}};
  change.insert(change.end(), more.begin(), more.end());
  context.Audit("dead_letter", letter.dead_letter_id.ToString(), action,
                change);
}

}  // namespace

void ReadDeadLetter(const Uuid& id, absl::Time deadline,
                    handlers::QueryLanes& lanes,
                    std::function<void(absl::StatusOr<Letter>)> take) {
  db::Exchange exchange;
  exchange.Add(kRead, db::Params().Add(id));
  lanes.Ask(std::move(exchange), deadline,
            [take = std::move(take)](absl::StatusOr<db::Results> results) {
              if (!results.ok()) return take(results.status());
              Letter letter;
              const db::Result& rows = (*results)[0];
              if (!rows.empty()) letter = db::Read<DeadLetter>(rows[0]);
              take(std::move(letter));
            });
}

absl::StatusOr<const DeadLetter*> OpenDeadLetter(const Uuid& id,
                                                 const DeadLetters& letters) {
  for (const DeadLetter* letter : letters.All()) {
    if (letter->dead_letter_id != id) continue;
    if (letter->open()) return letter;
    return errors::FailedPrecondition(
        "DEAD_LETTER_SETTLED", "the dead letter is settled already",
        {{"dead_letter_id", id.ToString()},
         {"state", std::string(db::EnumText(letter->settlement))},
         {"settled_at",
          absl::FormatTime(absl::RFC3339_full, *letter->settled_at,
                           absl::UTCTimeZone())}});
  }
  return errors::NotFound("dead letter", id.ToString());
}

absl::StatusOr<ops::v1::DropDeadLetterResponse> DropDeadLetter(
    const ops::v1::DropDeadLetterRequest& request, handlers::Context& context,
    DeadLetters& letters) {
  ASSIGN_OR_RETURN(
      const DeadLetter* open,
      OpenDeadLetter(*Uuid::Parse(request.dead_letter_id()), letters));
  DeadLetter& letter = letters.Edit(*open);
  letter.Settle(ops::v1::DEAD_LETTER_STATE_DROPPED, context.now());
  letter.drop_reason = request.reason();
  SettledBy(context.caller(), letter);
  Audit(letter, "dropped", {}, context);
  ops::v1::DropDeadLetterResponse response;
  *response.mutable_dead_letter() = Shown(letter);
  return response;
}

ops::v1::RetryDeadLetterResponse FinishRetry(
    const DeadLetter& tried, const std::optional<sync::v1::Verdict>& verdict,
    handlers::Context& context, DeadLetters& letters) {
  DeadLetter& letter = letters.Edit(tried);
  ops::v1::RetryDeadLetterResponse response;
  if (!verdict.has_value()) {
    *response.mutable_verdict() = sync::Poison(
        "UNREADABLE_STATE", "this release cannot read what was kept");
    ++letter.attempts;
    letter.last_seen_at = context.now();
  } else {
    *response.mutable_verdict() = *verdict;
    if (verdict->code() != sync::v1::VERDICT_CODE_POISON) {
      // A later attempt that worked, or found that what is here is newer.
      letter.Settle(ops::v1::DEAD_LETTER_STATE_APPLIED, context.now());
      SettledBy(context.caller(), letter);
      ++letter.attempts;
      letter.last_seen_at = context.now();
    }
  }
  sync::Change outcome = {
      {"verdict", sync::v1::VerdictCode_Name(response.verdict().code())
                      .substr(sizeof "VERDICT_CODE_" - 1)}};
  if (!response.verdict().reason().empty())
    outcome.emplace_back("reason", response.verdict().reason());
  Audit(letter, "retried", std::move(outcome), context);
  *response.mutable_dead_letter() = Shown(letter);
  return response;
}

void AddReadDeadLetters(handlers::Queries& queries) {
  queries.Add("mtp.ops.v1.OperationsService/ListDeadLetters",
              AskListDeadLetters, AnswerListDeadLetters);
  queries.Add("mtp.ops.v1.OperationsService/GetDeadLetter", AskGetDeadLetter,
              AnswerGetDeadLetter);
}

}  // namespace mtp::operations
