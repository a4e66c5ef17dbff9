#include "common/operations/correlations.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/protos.h"
#include "common/base/uuid.h"
#include "common/db/table.h"
#include "common/handlers/actor.h"
#include "common/operations/outbox_entry.h"
#include "common/sync/audit.h"
#include "common/sync/dead_letters.h"
#include "common/sync/exceptions.h"
#include "common/sync/things.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::operations {
namespace {

using common::v1::Thing;
using ops::v1::CorrelationStep;
using ops::v1::OutboxEntry;

constexpr size_t kMostSteps = 1'000;

// One more of each than is shown tells that there is more.
constexpr db::Statement kEntries{R"(
  SELECT recorded_at, caller, username, role, method, entity_kind, entity_key, action,
         remarks, change::text
  FROM audit.entry WHERE correlation_id = $1::text
  ORDER BY recorded_at, entry_id
  LIMIT $2::bigint
)"};
const db::Statement kLetters =
    db::Compose({"SELECT ", sync::kDeadLetterColumns, R"(, ''::bytea
  FROM sync.dead_letter WHERE correlation_ids @> ARRAY[$1::text]
  ORDER BY first_seen_at, dead_letter_id
  LIMIT $2::bigint
)"});
const db::Statement kExceptions =
    db::Compose({"SELECT ", sync::kExceptionColumns, R"(
  FROM sync.exception WHERE correlation_id = $1::text
  ORDER BY opened_at, exception_id
  LIMIT $2::bigint
)"});
const db::Statement kMarks = db::Compose({kOutboxEntryColumns, R"(
  WHERE $1::text = ANY (correlation_ids)
  ORDER BY since, kind, key
  LIMIT $2::bigint
)"});
const db::Statement kMarksOf = db::Compose({kOutboxEntryColumns, R"(
  JOIN unnest($1::text[], $2::text[]) AS changed (of_kind, of_key)
    ON mark.kind = changed.of_kind AND mark.key = changed.of_key
)"});

// A mark names the latest so many of the calls that made it.
constexpr int kIdsOfMark = 8;

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

// Whether it is a key of things of this kind: those in a trail are texts.
bool IsKeyOf(std::string_view thing_kind, const std::string& key) {
  if (thing_kind == "user") return Uuid::Parse(key).has_value();
  if (thing_kind != "shipment") return IsNumber(key);
  const std::vector<std::string> parts = absl::StrSplit(key, '/');
  return parts.size() == 2 && IsNumber(parts[0]) && IsNumber(parts[1]);
}

std::string NameOf(const Thing& thing) {
  std::string name = thing.kind();
  std::replace(name.begin(), name.end(), '_', ' ');
  return absl::StrCat(name, " ", thing.key());
}

std::string Capitalised(std::string text) {
  if (!text.empty())
    text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text;
}

// The version of a heard state, as the entry about it has it.
int64_t HeardVersion(const std::string& change) {
  const auto object =
      nlohmann::json::parse(change, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return 0;
  for (const char* name : {"order_version", "progress_version"}) {
    const auto version = object.find(name);
    if (version != object.end() && version->is_number_integer())
      return version->get<int64_t>();
  }
  return 0;
}

std::string LetterText(const sync::DeadLetter& letter, const std::string& name,
                       const std::string& peer) {
  const std::string what =
      absl::StrCat("Version ", letter.version, " of ", name, ", told by ", peer,
                   ", could not be applied here (", letter.reason, ": ",
                   letter.message, ")");
  switch (letter.settlement) {
    case ops::v1::DEAD_LETTER_STATE_APPLIED:
      return absl::StrCat(what,
                          ". A later attempt, or a newer version, was applied "
                          "since.");
    case ops::v1::DEAD_LETTER_STATE_DROPPED:
      return absl::StrCat(what, ". It was given up: ", letter.drop_reason);
    default:
      return absl::StrCat(what, " and waits as dead letter ",
                          letter.dead_letter_id.ToString(),
                          " for an operator: retry or drop it.");
  }
}

std::string MarkText(const OutboxEntry& entry, const std::string& name,
                     const std::string& peer) {
  std::string text = absl::StrCat(peer, " has not confirmed version ",
                                  entry.version(), " of ", name, " yet");
  if (entry.poisoned()) {
    absl::StrAppend(&text,
                    ": it could not apply it. It is a dead letter there, for "
                    "an operator of that side: ",
                    entry.last_error());
  } else if (!entry.last_error().empty()) {
    absl::StrAppend(&text, ". The last of ", entry.attempt_count(),
                    " attempts failed: ", entry.last_error());
  } else {
    text.push_back('.');
  }
  return text;
}

}  // namespace

struct Correlations::Story {
  struct Step {
    absl::Time at;
    CorrelationStep step;
  };
  // A thing that the call changed here, as the peer is told of it.
  struct Told {
    const sync::Relay::Route* route = nullptr;
    Thing thing;
    absl::Time changed_at;  // last
  };

  std::string correlation_id;
  std::vector<Step> steps;
  bool truncated = false;
  // By kind and key of what is told.
  std::map<std::pair<std::string, std::string>, Told> told;
  // Of `told`, what is asked of the peer's part, by kind.
  std::vector<const sync::Relay::Route*> asked;
  // Marks that were told already.
  std::set<std::pair<std::string, std::string>> waiting;

  CorrelationStep& Add(absl::Time at, ops::v1::CorrelationStepKind kind) {
    Step& step = steps.emplace_back();
    step.at = at;
    step.step.set_kind(kind);
    *step.step.mutable_at() = ToProto(at);
    return step.step;
  }

  void AddMark(const OutboxEntry& entry, const std::string& peer) {
    const std::string kind(db::EnumText(entry.kind()));
    if (!waiting.emplace(kind, entry.key()).second) return;
    // The peer may have been behind before.
    absl::Time at = FromProto(entry.marked_at());
    if (const auto changed = told.find({kind, entry.key()});
        changed != told.end()) {
      at = std::max(at, changed->second.changed_at);
    }
    CorrelationStep& step =
        Add(at, ops::v1::CORRELATION_STEP_KIND_WAITING_FOR_PEER);
    step.mutable_thing()->set_kind(std::string(sync::ThingKindOf(kind)));
    step.mutable_thing()->set_key(entry.key());
    step.set_version(entry.version());
    step.set_description(MarkText(entry, NameOf(step.thing()), peer));
  }

  std::string Reply() {
    std::stable_sort(steps.begin(), steps.end(),
                     [](const Step& a, const Step& b) { return a.at < b.at; });
    ops::v1::ExplainCorrelationResponse response;
    for (Step& step : steps) {
      if (response.steps_size() == static_cast<int>(kMostSteps)) {
        truncated = true;
        break;
      }
      *response.add_steps() = std::move(step.step);
    }
    response.set_truncated(truncated);
    return response.SerializeAsString();
  }
};

Correlations::Correlations(common::v1::Side side,
                           std::vector<sync::Relay::Route> told,
                           handlers::QueryLanes& lanes, rpc::Router& router)
    : peer_(side == common::v1::SIDE_ORDER ? "Seeduwa" : "Grandpass"),
      told_(std::move(told)),
      lanes_(lanes) {
  router.Route(
      "mtp.ops.v1.OperationsService/ExplainCorrelation",
      [this](std::unique_ptr<rpc::Call> call) { Explain(std::move(call)); });
}

void Correlations::Explain(std::unique_ptr<rpc::Call> call) {
  auto story = std::make_shared<Story>();
  story->correlation_id =
      static_cast<const ops::v1::ExplainCorrelationRequest&>(*call->message)
          .correlation_id();
  db::Exchange exchange;
  for (const db::Statement& statement :
       {kEntries, kLetters, kExceptions, kMarks}) {
    exchange.Add(statement, db::Params()
                                .Add(story->correlation_id)
                                .Add(static_cast<int64_t>(kMostSteps) + 1));
  }
  const absl::Time deadline = call->deadline;
  auto shared = std::make_shared<std::unique_ptr<rpc::Call>>(std::move(call));
  lanes_.Ask(
      std::move(exchange), deadline,
      [this, shared, story](absl::StatusOr<db::Results> results) {
        if (!results.ok()) return (*shared)->Fail(results.status());
        Read(*results, *story);
        AskPeersPart(std::move(*shared), story);
      },
      handlers::Reach::kTable, [shared] { return (*shared)->Cancelled(); });
}

void Correlations::Read(const db::Results& results, Story& story) const {
  for (const db::Result& result : results) {
    if (result.size() > static_cast<int>(kMostSteps)) story.truncated = true;
  }
  for (const db::Row row : results[0]) {
    absl::Time at;
    handlers::Actor actor;
    std::string method, action, remarks, change;
    Thing thing;
    row.Into(at, actor.subject, actor.username, actor.role, method,
             *thing.mutable_kind(), *thing.mutable_key(), action, remarks,
             change);
    // That one comes with what it says.
    if (thing.kind() == "exception" && action == "opened") continue;
    const std::string name = NameOf(thing);
    const bool heard = action == "heard";
    CorrelationStep& step =
        story.Add(at, heard ? ops::v1::CORRELATION_STEP_KIND_APPLIED_FROM_PEER
                            : ops::v1::CORRELATION_STEP_KIND_CHANGED);
    *step.mutable_thing() = thing;
    actor.To(step.mutable_actor());
    step.set_action(method);
    if (heard) {
      step.set_version(HeardVersion(change));
      step.set_description(absl::StrCat("What ", peer_, " told of ", name,
                                        " was applied here, as version ",
                                        step.version(), "."));
      continue;
    }
    step.set_description(
        absl::StrCat(Capitalised(name), ": ", action, " by ",
                     actor.username.empty() ? actor.subject : actor.username,
                     remarks.empty() ? "." : absl::StrCat(": ", remarks)));
    std::vector<Thing> things = sync::ThingsIn(change);
    things.push_back(std::move(thing));
    for (const Thing& changed : things) {
      for (const sync::Relay::Route& route : told_) {
        if (sync::ThingKindOf(route.kind) != changed.kind() ||
            !IsKeyOf(changed.kind(), changed.key())) {
          continue;
        }
        Story::Told& told = story.told[{route.kind, changed.key()}];
        told = {&route, changed, at};
      }
    }
  }
  for (const db::Row row : results[1]) {
    const auto letter = db::Read<sync::DeadLetter>(row);
    CorrelationStep& step = story.Add(
        letter.first_seen_at, ops::v1::CORRELATION_STEP_KIND_DEAD_LETTER);
    step.mutable_thing()->set_kind(std::string(sync::ThingKindOf(letter.kind)));
    step.mutable_thing()->set_key(letter.state_key);
    step.set_version(letter.version);
    step.set_description(LetterText(letter, NameOf(step.thing()), peer_));
  }
  for (const db::Row row : results[2]) {
    const ops::v1::Exception exception =
        sync::Shown(db::Read<sync::Exception>(row));
    CorrelationStep& step =
        story.Add(FromProto(exception.opened_at()),
                  ops::v1::CORRELATION_STEP_KIND_EXCEPTION_OPENED);
    step.mutable_thing()->set_kind("exception");
    step.mutable_thing()->set_key(exception.exception_id());
    step.set_description(exception.description());
  }
  for (const db::Row row : results[3]) {
    OutboxEntry entry;
    ReadOutboxEntry(row, entry);
    story.AddMark(entry, peer_);
  }
}

// What is not told (a shipment that waits for approval) has no state to fetch.
void Correlations::AskPeersPart(std::unique_ptr<rpc::Call> call,
                                std::shared_ptr<Story> story) {
  if (story->told.empty()) return call->Reply(story->Reply());
  std::vector<std::string> kinds;
  std::vector<std::string> keys;
  for (const auto& [key, told] : story->told) {
    kinds.push_back(key.first);
    keys.push_back(key.second);
  }
  db::Exchange exchange;
  exchange.Add(kMarksOf, db::Params().Array(kinds).Array(keys));
  for (const sync::Relay::Route& route : told_) {
    std::vector<std::string> of_kind;
    for (const auto& [key, told] : story->told) {
      if (told.route == &route) of_kind.push_back(key.second);
    }
    if (of_kind.empty()) continue;
    exchange.Add(route.fetch, db::Params().Array(of_kind));
    story->asked.push_back(&route);
  }
  const absl::Time deadline = call->deadline;
  auto shared = std::make_shared<std::unique_ptr<rpc::Call>>(std::move(call));
  lanes_.Ask(
      std::move(exchange), deadline,
      [this, shared, story](absl::StatusOr<db::Results> results) {
        if (!results.ok()) return (*shared)->Fail(results.status());
        ReadPeersPart(*results, *story);
        (*shared)->Reply(story->Reply());
      },
      handlers::Reach::kTable, [shared] { return (*shared)->Cancelled(); });
}

void Correlations::ReadPeersPart(const db::Results& results,
                                 Story& story) const {
  // A mark that does not name the call is of a later one, unless it has no more
  // room for names.
  for (const db::Row row : results[0]) {
    OutboxEntry entry;
    ReadOutboxEntry(row, entry);
    if (entry.correlation_ids_size() == kIdsOfMark) story.AddMark(entry, peer_);
  }
  for (size_t i = 0; i < story.asked.size(); ++i) {
    const sync::Relay::Route& route = *story.asked[i];
    const std::unique_ptr<google::protobuf::Message> scratch =
        route.new_request();
    for (const db::Row row : results[i + 1]) {
      const std::string key = row.Get<std::string>(0);
      if (story.waiting.contains({route.kind, key})) continue;
      const Story::Told& told = story.told.at({route.kind, key});
      CorrelationStep& step = story.Add(
          told.changed_at, ops::v1::CORRELATION_STEP_KIND_CONFIRMED_BY_PEER);
      // When it was is not kept: it comes behind the change.
      step.clear_at();
      *step.mutable_thing() = told.thing;
      step.set_version(route.add_state(*scratch, row)->version());
      step.set_description(
          absl::StrCat(peer_, " has confirmed what this call changed of ",
                       NameOf(told.thing), ", which is at version ",
                       step.version(), " now."));
    }
  }
}

}  // namespace mtp::operations
